// SPDX-License-Identifier: Apache-2.0
// What a sender counts as sent and nobody saw.
#include <gtest/gtest.h>

#include "support/exchange.h"

namespace slowpath::test {
namespace {

/// A request is sent in three pieces; the server's ACKs from the second on count `counted` bytes.
void ask(Exchange& x, std::int64_t counted) {
  x.handshake(10ms);
  x.to_server({.len = 1000, .ack = 0});
  x.after(10ms).to_client({.from = 0, .ack = 1000});
  x.to_server({.len = 1000, .ack = 0});
  x.after(10ms).to_client({.from = counted, .ack = 2000});
  x.to_server({.len = 1000, .ack = 0});
  x.after(10ms).to_client({.from = counted, .ack = 3000});
}

TEST(NeverCame, IsWhatTheSendersAcksCountAheadOfAllThatWasSeen) {
  Exchange x;
  ask(x, 14'480);
  const NeverCameFacts missing = x.connection()[Direction::to_client].never_came;
  EXPECT_EQ(missing.bytes, 14'480u);
  EXPECT_EQ(missing.frames.count, 2u);
  EXPECT_EQ(missing.frames.first[0].number(), 7u);
  EXPECT_NEAR(missing.seconds, 0.010, 1e-9);
}

TEST(NeverCame, NotWhatComesLater) {
  Exchange x;
  ask(x, 2000);
  x.to_client({.from = 0, .len = 1000, .ack = 3000});
  x.to_client({.from = 1000, .len = 1000, .ack = 3000});
  EXPECT_EQ(x.connection()[Direction::to_client].never_came.bytes, 0u);
}

TEST(NeverCame, NotWhatTheOtherEndAcknowledges) {
  Exchange x;
  ask(x, 2000);
  x.to_server({.from = 3000, .ack = 2000});
  EXPECT_EQ(x.connection()[Direction::to_client].never_came.bytes, 0u);
}

TEST(NeverCame, NotTheSequenceNumberOfAFinThatWasSeen) {
  Exchange x;
  ask(x, 0);
  x.to_client({.flags = wire::kFin | wire::kAck, .from = 0, .ack = 3000});
  x.to_client({.from = 1, .ack = 3000});
  EXPECT_EQ(x.connection()[Direction::to_client].never_came.bytes, 0u);
}

TEST(NeverCame, NotBeyondTheWindowThatTheOtherEndAllows) {
  Exchange x;
  ask(x, 900'000'000);
  EXPECT_EQ(x.connection()[Direction::to_client].never_came.bytes, 0u);
}

}  // namespace
}  // namespace slowpath::test
