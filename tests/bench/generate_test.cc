// SPDX-License-Identifier: Apache-2.0
// The generator of benchmark captures: what it writes is TCP as our reader and checksum code, which
// it does not share, understand it; and the same for the same seed.
#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "capture/source.h"
#include "flow/engine.h"
#include "generate/segment.h"
#include "generate/traffic.h"
#include "generate/transfer.h"
#include "wire/packet.h"

namespace slowpath::bench {
namespace {

std::vector<std::byte> capture_of(const TrafficOptions& options, std::uint32_t snap_len,
                                  FileFormat format) {
  const int fd = memfd_create("capture", MFD_CLOEXEC);
  CaptureFile file(fd, format, snap_len);
  Traffic(options, file).run();
  file.flush();
  std::vector<std::byte> bytes(file.bytes());
  EXPECT_EQ(pread(fd, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  close(fd);
  return bytes;
}

struct Seen {
  std::uint64_t frames = 0, good = 0, not_good = 0, backwards = 0, damage = 0, ipv6 = 0;
  Case facts;
};

Seen look(const std::vector<std::byte>& bytes) {
  const auto source = capture::open_memory(bytes, "generated", 0);
  EXPECT_TRUE(source.has_value());
  flow::Engine engine({.bytes_at = [&](std::uint16_t, std::uint64_t offset, std::size_t len) {
    return (*source)->bytes_at(offset, len);
  }});
  Seen seen;
  wire::Frame frame;
  wire::Packet packet;
  Time last{};
  while ((*source)->next(frame)) {
    wire::decode(frame, packet);
    engine.add(frame, packet);
    ++seen.frames;
    seen.backwards += frame.time < last;
    last = frame.time;
    seen.ipv6 += packet.source.version == 6;
    const bool good = wire::verify_checksum(packet) == wire::ChecksumState::good;
    ++(good ? seen.good : seen.not_good);
  }
  seen.damage = (*source)->info().damage_count;
  seen.facts = engine.finish();
  return seen;
}

TrafficOptions small(double loss = 0) {
  TrafficOptions options;
  options.packets = 20'000;
  options.connections = 40;
  options.transfer_segments = 40;
  options.ipv6 = 0.4;
  options.loss = loss;
  options.seed = 5;
  return options;
}

TEST(Generate, EveryPacketIsSoundInBothFormats) {
  for (const FileFormat format : {FileFormat::pcap, FileFormat::pcapng}) {
    const Seen seen = look(capture_of(small(0.05), 0, format));
    EXPECT_EQ(seen.frames, 20'000U);
    EXPECT_EQ(seen.good, 20'000U);
    EXPECT_EQ(seen.damage, 0U);
    EXPECT_EQ(seen.backwards, 0U);
    EXPECT_GT(seen.ipv6, 2'000U);
    EXPECT_LT(seen.ipv6, 18'000U);
  }
}

TEST(Generate, TheSameSeedMakesTheSameBytes) {
  TrafficOptions options = small(0.02);
  const auto once = capture_of(options, 96, FileFormat::pcap);
  EXPECT_EQ(once, capture_of(options, 96, FileFormat::pcap));
  options.seed = 6;
  EXPECT_NE(once, capture_of(options, 96, FileFormat::pcap));
}

TEST(Generate, WithoutLossNothingIsRetransmitted) {
  const Seen seen = look(capture_of(small(), 96, FileFormat::pcap));
  for (const ConnectionFacts& connection : seen.facts.connections) {
    for (const DirectionFacts& direction : connection.directions) {
      EXPECT_EQ(direction.resent_packets, 0U);
      EXPECT_TRUE(direction.losses.empty());
    }
  }
}

TEST(Generate, LossIsTheShareThatWasAsked) {
  TrafficOptions options = small(0.05);
  options.packets = 60'000;
  const Seen seen = look(capture_of(options, 96, FileFormat::pcap));
  std::uint64_t resent = 0, data = 0;
  for (const ConnectionFacts& connection : seen.facts.connections) {
    for (const DirectionFacts& direction : connection.directions) {
      resent += direction.losses.size();
      data += direction.data_packets;
    }
  }
  EXPECT_NEAR(static_cast<double>(resent) / static_cast<double>(data), 0.05, 0.015);
}

TEST(Generate, AsManyConnectionsLiveAsAsked) {
  TrafficOptions options = small();
  options.connections = 1000;
  options.transfer_segments = 2;
  options.window = 16;
  options.packets = 30'000;
  const Seen seen = look(capture_of(options, 96, FileFormat::pcap));
  EXPECT_GE(seen.facts.connections_total, 1000U);
  EXPECT_LE(seen.facts.connections_total, 5000U);
}

TEST(Transfer, ThirdSackedSegmentCallsForTheMissingOne) {
  Transfer transfer;
  transfer.start(20, false);
  for (std::uint32_t i = 0; i < 10; ++i) {
    ASSERT_EQ(transfer.next_to_send(), i);
    transfer.sent(i);
  }
  EXPECT_EQ(transfer.next_to_send(), Transfer::kNothing);  // The initial window is used up.
  for (const std::uint32_t arrived : {1U, 2U}) {           // Segment 0 is lost.
    EXPECT_TRUE(transfer.arrive(arrived));
    transfer.acknowledge(64);
  }
  EXPECT_NE(transfer.next_to_send(), 0U);
  EXPECT_TRUE(transfer.arrive(3));
  transfer.acknowledge(64);
  EXPECT_EQ(transfer.next_to_send(), 0U);
  transfer.sent(0);
  EXPECT_TRUE(transfer.arrive(0));
  transfer.acknowledge(64);
  EXPECT_EQ(transfer.una, 4U);
}

TEST(Transfer, TimeoutSendsAllThatIsNotSackedAgain) {
  Transfer transfer;
  transfer.start(3, false);
  for (std::uint32_t i = 0; i < 3; ++i) transfer.sent(i);
  EXPECT_TRUE(transfer.arrive(1));  // 0 and 2 are lost.
  transfer.acknowledge(64);
  EXPECT_EQ(transfer.next_to_send(), Transfer::kNothing);
  transfer.time_out();
  EXPECT_EQ(transfer.next_to_send(), 0U);
  transfer.sent(0);
  EXPECT_EQ(transfer.next_to_send(), Transfer::kNothing);
  EXPECT_TRUE(transfer.arrive(0));
  transfer.acknowledge(64);
  EXPECT_EQ(transfer.next_to_send(), 2U);
}

TEST(Transfer, EverySecondSegmentIsAcknowledged) {
  Transfer transfer;
  transfer.start(5, false);
  for (std::uint32_t i = 0; i < 5; ++i) transfer.sent(i);
  EXPECT_FALSE(transfer.arrive(0));
  EXPECT_TRUE(transfer.arrive(1));
  transfer.acknowledge(64);
  EXPECT_FALSE(transfer.arrive(2));
  EXPECT_TRUE(transfer.arrive(3));
  transfer.acknowledge(64);
  EXPECT_TRUE(transfer.arrive(4));  // The last does not wait.
}

}  // namespace
}  // namespace slowpath::bench
