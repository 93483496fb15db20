// SPDX-License-Identifier: Apache-2.0
// Frames added together are the same as frames added one after the other: nothing that is fetched
// ahead may change what a packet finds. The plain way is the oracle.
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "flow/engine.h"
#include "support/packet_builder.h"
#include "wire/packet.h"

namespace slowpath::test {
namespace {

constexpr int kClients = 40;

/// One client's side of a small world: a handshake, data with holes and resends, a reset, its
/// four-tuple used again.
struct Client {
  std::uint16_t port;
  std::uint32_t sent = 0, received = 0;
  int step = 0;
  std::uint32_t isn = 1000;
};

BuiltFrame from_client(const Client& c, Flags flags, std::size_t len = 0) {
  return PacketBuilder()
      .ethernet()
      .ipv4("10.0.0.1", "10.0.0.2", ip_id(static_cast<std::uint32_t>(c.step + 1)))
      .tcp(flags, ports(c.port, 80), seq(c.isn + c.sent),
           ack_number(flags.bits == syn.bits ? 0 : 5000 + c.received))
      .payload(len)
      .build();
}

BuiltFrame from_server(const Client& c, Flags flags, std::size_t len = 0) {
  return PacketBuilder()
      .ethernet(0x020000000001, 0x020000000002)
      .ipv4("10.0.0.2", "10.0.0.1", ip_id(static_cast<std::uint32_t>(c.step + 1)))
      .tcp(flags, ports(80, c.port), seq(5000 + c.received), ack_number(c.isn + c.sent))
      .payload(len)
      .build();
}

BuiltFrame icmp_about(const Client& c) {
  const Buffer quoted = PacketBuilder()
                            .ipv4("10.0.0.1", "10.0.0.2")
                            .tcp(ack, ports(c.port, 80), seq(c.isn + c.sent), ack_number(5000))
                            .payload(8)
                            .bytes();
  return PacketBuilder()
      .ethernet()
      .ipv4("10.0.0.9", "10.0.0.1")
      .icmp(3, 4, 1400)
      .payload(quoted)
      .build();
}

BuiltFrame next_of(Client& c, std::mt19937& random) {
  const int step = c.step++;
  if (step == 0) return from_client(c, syn);
  if (step == 1) return ++c.sent, from_server(c, syn | ack);
  if (step == 2) return ++c.received, from_client(c, ack);
  if (step == 150) return from_server(c, rst);
  if (step > 150) {
    c = {.port = c.port, .isn = c.isn + 1000000};
    return c.step = 1, from_client(c, syn);
  }
  switch (random() % 8) {
    case 0:
      return from_client(c, ack, 500);  // may be a resend of what comes next
    case 1:
      return c.sent += 700, from_client(c, ack, 300);  // behind a hole
    case 2:
      return from_server(c, ack);
    case 3:
      return icmp_about(c);
    default: {
      BuiltFrame frame = from_client(c, ack, 500);
      c.sent += 500;
      return frame;
    }
  }
}

/// All clients' packets, mixed.
std::vector<BuiltFrame> mixed(std::size_t count) {
  std::mt19937 random(7);
  std::vector<Client> clients;
  for (int i = 0; i < kClients; ++i)
    clients.push_back({.port = static_cast<std::uint16_t>(30000 + i)});
  std::vector<BuiltFrame> frames;
  while (frames.size() < count) frames.push_back(next_of(clients[random() % kClients], random));
  return frames;
}

std::vector<wire::Frame> frames_of(const std::vector<BuiltFrame>& built) {
  std::vector<wire::Frame> frames;
  for (const BuiltFrame& one : built) {
    wire::Frame frame = one.frame();
    frame.number = frames.size() + 1;
    frame.time =
        time_from_ns(1'700'000'000'000'000'000 + static_cast<std::int64_t>(frames.size()) * 50'000);
    frames.push_back(frame);
  }
  return frames;
}

void expect_same(const DirectionFacts& a, const DirectionFacts& b) {
  EXPECT_EQ(a.packets, b.packets);
  EXPECT_EQ(a.bytes, b.bytes);
  EXPECT_EQ(a.resent_packets, b.resent_packets);
  EXPECT_EQ(a.lost_packets, b.lost_packets);
  EXPECT_EQ(a.unseen_acked_holes, b.unseen_acked_holes);
  EXPECT_EQ(a.checksums.good, b.checksums.good);
  EXPECT_EQ(a.time.seconds, b.time.seconds);
}

TEST(Batch, TogetherIsTheSameAsOneByOne) {
  const std::vector<BuiltFrame> built = mixed(20'000);
  const std::vector<wire::Frame> frames = frames_of(built);
  flow::Engine plain({}), batched({});
  wire::Packet packet;
  for (const wire::Frame& frame : frames) {
    wire::decode(frame, packet);
    plain.add(frame, packet);
  }
  // Of every length, so that batches end everywhere.
  for (std::size_t from = 0, len = 1; from < frames.size(); from += len, len = len % 97 + 1) {
    batched.add(std::span(frames).subspan(from, std::min(len, frames.size() - from)));
  }
  const Case a = plain.finish(), b = batched.finish();
  ASSERT_EQ(a.connections.size(), b.connections.size());
  EXPECT_GT(a.connections.size(), std::size_t{kClients});
  EXPECT_EQ(a.unmatched_icmp_errors, b.unmatched_icmp_errors);
  for (std::size_t i = 0; i < a.connections.size(); ++i) {
    const ConnectionFacts &x = a.connections[i], &y = b.connections[i];
    EXPECT_EQ(x.client, y.client);
    EXPECT_EQ(x.reuses, y.reuses);
    EXPECT_EQ(x.reset_count, y.reset_count);
    EXPECT_EQ(x.icmp_count, y.icmp_count);
    EXPECT_EQ(x.last_frame, y.last_frame);
    expect_same(x.directions[0], y.directions[0]);
    expect_same(x.directions[1], y.directions[1]);
  }
}

}  // namespace
}  // namespace slowpath::test
