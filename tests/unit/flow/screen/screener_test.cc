// SPDX-License-Identifier: Apache-2.0
// Screening against the full analysis: the same connections, packets and bytes; the same answer for
// any number of threads and any cutting of the input into batches.
#include "flow/screen/screener.h"

#include <algorithm>
#include <bit>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "capture/source.h"
#include "flow/capture_witness.h"
#include "flow/engine.h"
#include "flow/screen/signs.h"
#include "flow/screen/steady_update.h"
#include "support/packet_builder.h"
#include "support/shared.h"

namespace slowpath::test {
namespace {

namespace fs = std::filesystem;

struct Seen {
  Case full;
  std::unique_ptr<flow::Screener> light;
};

std::vector<wire::Frame> all_frames(capture::Source& source) {
  std::vector<wire::Frame> frames;
  wire::Frame frame;
  while (source.next(frame)) frames.push_back(frame);
  return frames;
}

template <typename Add>
void in_batches(std::span<const wire::Frame> frames, std::size_t batch, Add add) {
  for (std::size_t i = 0; i < frames.size(); i += batch) {
    add(frames.subspan(i, std::min(batch, frames.size() - i)));
  }
}

/// By one thread, for all keepers.
std::unique_ptr<flow::Screener> screen(std::span<const wire::Frame> frames, std::size_t keepers,
                                       std::size_t batch = 1000) {
  auto screener = std::make_unique<flow::Screener>(flow::ScreenOptions{.keepers = keepers});
  in_batches(frames, batch, [&](std::span<const wire::Frame> part) { screener->add(part); });
  return screener;
}

/// Each keeper by a thread of its own.
std::unique_ptr<flow::Screener> screen_together(std::span<const wire::Frame> frames,
                                                std::size_t keepers, std::size_t batch) {
  auto screener = std::make_unique<flow::Screener>(flow::ScreenOptions{.keepers = keepers});
  std::vector<std::jthread> threads;
  for (std::size_t keeper = 0; keeper < keepers; ++keeper) {
    threads.emplace_back([&, keeper] {
      in_batches(frames, batch,
                 [&](std::span<const wire::Frame> part) { screener->add(part, keeper); });
    });
  }
  threads.clear();  // Joins.
  return screener;
}

Case analyse(std::span<const wire::Frame> frames) {
  flow::Engine engine({});
  engine.add(frames);
  return engine.finish();
}

/// Everything that a record says, to compare by.
std::string text_of(const flow::LightRecord& r) {
  std::string text = std::to_string(r.first_frame.packed) + " " + std::to_string(to_ns(r.first)) +
                     " " + std::to_string(to_ns(r.last)) + " " + std::to_string(r.turns);
  for (std::size_t way = 0; way < 2; ++way) {
    const flow::LightTotals& t = r.totals[way];
    text += " | " + std::to_string(t.packets) + " " + std::to_string(t.bytes) + " " +
            std::to_string(r.trouble[way].resent_packets) + " " + std::to_string(t.rtt_min_us);
  }
  const flow::LightSigns signs = flow::judge_signs(r);
  text += " " + std::to_string(signs.all) + " " + std::to_string(signs.grave);
  for (const float cost : signs.cost_s) text += " " + std::to_string(cost);
  return text;
}

std::vector<std::string> texts_of(const flow::Screener& screener) {
  std::vector<std::string> texts;
  for (const flow::LightTable& table : screener.shards()) {
    for (std::size_t i = 0; i < table.size(); ++i) texts.push_back(text_of(table[i]));
  }
  return texts;
}

using Totals = std::map<std::uint64_t, std::vector<std::uint64_t>>;  // by first frame

Totals totals_of(const Case& facts) {
  Totals totals;
  for (const ConnectionFacts& c : facts.connections) {
    totals[c.first_frame.packed] = {
        c.directions[0].packets + c.directions[1].packets + c.tap_copies,
        c.directions[0].bytes + c.directions[1].bytes};
  }
  return totals;
}

Totals totals_of(const flow::Screener& screener) {
  Totals totals;
  for (const flow::LightTable& table : screener.shards()) {
    for (std::size_t i = 0; i < table.size(); ++i) {
      totals[table[i].first_frame.packed] = {table[i].packets(), table[i].bytes()};
    }
  }
  return totals;
}

std::vector<fs::path> shared_captures() {
  std::vector<fs::path> found;
  const fs::path folder = testing::shared_dir() / "captures";
  if (!fs::exists(folder)) return found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && name.find(".pcap") != std::string::npos) {
      found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// Of these two the full analysis knows how many bytes were sent by other means than what arrived.
bool has_exact_bytes(const flow::LightRecord& record) {
  const bool holes = record.trouble[0].holes != 0 || record.trouble[1].holes != 0;
  return !holes && record.bad_checksums == 0 && record.fragments == 0;
}

auto counts_of(const CaptureFacts& c) {
  return std::tuple(c.packets, c.bytes, c.tcp_packets, c.udp_packets, c.quic_packets,
                    c.icmp_packets, c.other_packets, c.not_decoded_packets, c.malformed_packets,
                    c.truncated_packets, c.fragment_packets, c.frames_without_time, c.first, c.last,
                    c.snap_len, c.snapped_packets, c.time_steps_back, c.largest_step_back_s,
                    c.addresses_rewritten, c.lengths_rewritten);
}

void compare_totals(std::span<const wire::Frame> frames, const std::string& what) {
  const Case full = analyse(frames);
  const auto screener = screen(frames, 1);
  const Totals expected = totals_of(full), found = totals_of(*screener);
  if (full.captures.empty() || full.captures[0].fragment_packets != 0) return;
  EXPECT_EQ(expected.size(), found.size()) << what;
  for (const flow::LightTable& table : screener->shards()) {
    for (std::size_t i = 0; i < table.size(); ++i) {
      const auto it = expected.find(table[i].first_frame.packed);
      ASSERT_NE(it, expected.end()) << what << " frame " << table[i].first_frame.number();
      EXPECT_EQ(it->second[0], table[i].packets())
          << what << " frame " << table[i].first_frame.number();
      if (!has_exact_bytes(table[i])) continue;
      EXPECT_EQ(it->second[1], table[i].bytes())
          << what << " frame " << table[i].first_frame.number();
    }
  }
  EXPECT_EQ(full.unmatched_icmp_errors, screener->unmatched_icmp()) << what;
  EXPECT_EQ(counts_of(full.captures[0]), counts_of(screener->witness().finish({})[0])) << what;
}

TEST(Screener, TotalsAreThoseOfTheFullAnalysis) {
  const auto captures = shared_captures();
  if (captures.empty()) GTEST_SKIP() << "no shared captures";
  std::size_t compared = 0;
  for (const fs::path& path : captures) {
    auto source = capture::open_capture(path.string(), 0);
    if (!source || !(*source)->stable_bytes()) continue;
    const auto frames = all_frames(**source);
    compare_totals(frames, path.filename().string());
    ++compared;
  }
  EXPECT_GT(compared, 50U);
}

/// Connections that open, send with holes, resends and resets, and use their ports again.
class World {
 public:
  explicit World(unsigned seed) : random_(seed), clients_(60) {}

  std::vector<wire::Frame> run(std::size_t packets) {
    for (std::size_t i = 0; i < packets; ++i) step();
    std::vector<wire::Frame> frames;
    for (std::size_t i = 0; i < built_.size(); ++i) {
      wire::Frame frame = built_[i].frame();
      frame.time = time_from_ns(1'700'000'000'000'000'000 + static_cast<std::int64_t>(i) * 400'000);
      frame.number = i + 1;
      frames.push_back(frame);
    }
    return frames;
  }

 private:
  struct Client {
    std::uint32_t sent = 0, received = 0, isn = 1000;
    int step = 0;
  };
  void step() {
    const auto index = random_() % clients_.size();
    Client& c = clients_[index];
    const auto port = static_cast<std::uint16_t>(4000 + index);
    const auto up = [&](Flags flags, std::size_t len) {
      built_.push_back(
          packet()
              .ethernet()
              .ipv4("10.0.0.1", "10.0.0.2", ip_id(++id_))
              .tcp(flags, ports(port, 80), seq(c.isn + c.sent), ack_number(5000 + c.received))
              .payload(len)
              .build());
    };
    const auto down = [&](Flags flags, std::size_t len) {
      built_.push_back(
          packet()
              .ethernet()
              .ipv4("10.0.0.2", "10.0.0.1", ip_id(++id_))
              .tcp(flags, ports(80, port), seq(5000 + c.received), ack_number(c.isn + c.sent))
              .payload(len)
              .build());
    };
    switch (c.step++) {
      case 0:
        return up(syn, 0);
      case 1:
        ++c.sent;
        return down(syn | ack, 0);
      case 2:
        ++c.received;
        return up(ack, 0);
      default:
        break;
    }
    switch (random_() % 12) {
      case 0:
        return down(ack, 0);
      case 1:
        c.received += 500;  // Lost before the capture.
        return;
      case 2:
        if (c.received > 1000) {
          c.received -= 1000;
          down(psh | ack, 1000);
          c.received += 1000;
        }
        return;
      case 3:
        if (random_() % 8 != 0) return;
        up(rst | ack, 0);
        c = {.isn = c.isn + 100'000};
        return;
      case 4:
      case 5:
        return up(ack, 0);
      default:
        down(psh | ack, 1000);
        c.received += 1000;
    }
  }

  std::mt19937 random_;
  std::vector<Client> clients_;
  std::vector<BuiltFrame> built_;
  std::uint32_t id_ = 0;
};

TEST(Screener, TotalsOfARandomWorldToo) {
  World world(7);
  compare_totals(world.run(20'000), "random world");
}

TEST(Screener, AnswersAlikeWithAnyNumberOfThreadsAndAnyBatches) {
  World world(11);
  const auto frames = world.run(30'000);
  const auto alone = texts_of(*screen(frames, 1));
  ASSERT_GT(alone.size(), 60U);
  for (const std::size_t threads : {2U, 3U, 5U, 64U}) {
    EXPECT_EQ(texts_of(*screen_together(frames, threads, 301)), alone) << threads << " threads";
  }
  EXPECT_EQ(texts_of(*screen(frames, 1, 7)), alone);
  EXPECT_EQ(texts_of(*screen(frames, 3, 10'000)), alone);
}

// What belongs to no connection is counted by one of them; in every shared capture.
TEST(Screener, CountsAlikeWithAnyNumberOfThreads) {
  const auto captures = shared_captures();
  if (captures.empty()) GTEST_SKIP() << "no shared captures";
  std::uint64_t others = 0, fragments = 0, quoted = 0;
  for (const fs::path& path : captures) {
    auto source = capture::open_capture(path.string(), 0);
    if (!source || !(*source)->stable_bytes()) continue;
    const auto frames = all_frames(**source);
    if (frames.empty()) continue;
    const auto alone = screen(frames, 1);
    const CaptureFacts expected = alone->witness().finish({}).at(0);
    for (const std::size_t keepers : {2U, 7U}) {
      const auto several = screen(frames, keepers);
      EXPECT_EQ(counts_of(several->witness().finish({}).at(0)), counts_of(expected)) << path;
      EXPECT_EQ(texts_of(*several), texts_of(*alone)) << path;
      EXPECT_EQ(several->unmatched_icmp(), alone->unmatched_icmp()) << path;
    }
    others += expected.udp_packets + expected.other_packets;
    fragments += expected.fragment_packets;
    quoted += expected.icmp_packets;
  }
  EXPECT_GT(others, 0U);
  EXPECT_GT(fragments, 0U);
  EXPECT_GT(quoted, 0U);
}

/// All that a record holds, byte for byte but for padding.
std::vector<std::uint64_t> words_of(const flow::LightRecord& r) {
  std::vector<std::uint64_t> w = {
      r.key_words[0],  r.key_words[1], static_cast<std::uint64_t>(to_ns(r.last)),
      r.turns,         r.last_speaker, r.completed,
      r.copies,        r.odd_resets,   r.unstamped,
      r.bad_checksums, r.marked};
  for (std::size_t way = 0; way < 2; ++way) {
    const flow::LightDirection& d = r.directions[way];
    const flow::LightTotals& t = r.totals[way];
    const flow::LightTrouble& x = r.trouble[way];
    w.insert(w.end(), {d.next.value,
                       d.acked.value,
                       d.edge.value,
                       d.newest_ip_id,
                       d.shift,
                       d.state,
                       t.packets,
                       t.bytes,
                       t.data_packets,
                       t.probe_end.value,
                       t.probe_us,
                       t.rtt_min_us,
                       x.resent_packets,
                       x.holes,
                       x.duplicate_acks,
                       x.sacks,
                       x.at_edge,
                       x.strays,
                       std::bit_cast<std::uint32_t>(x.silence_s),
                       std::bit_cast<std::uint32_t>(x.pause_s),
                       std::bit_cast<std::uint32_t>(x.recovery_s),
                       std::bit_cast<std::uint32_t>(x.closed_s)});
  }
  return w;
}

/// Every packet given to add_to(), and to its twin wherever that takes it.
std::size_t compare_with_twin(std::span<const wire::Frame> frames, const std::string& what) {
  struct Pair {
    flow::LightRecord plain, quick;
  };
  std::map<std::uint64_t, Pair> records;  // by hash
  wire::LightPacket packet;
  wire::Packet scratch;
  std::size_t steady = 0;
  for (const wire::Frame& frame : frames) {
    wire::decode_light(frame, false, packet, scratch);
    if (packet.kind != wire::PacketKind::tcp) continue;
    packet.time = frame.time;
    packet.frame = FrameRef(frame.input, frame.number);
    const auto [it, made] = records.try_emplace(packet.hash);
    auto& [plain, quick] = it->second;
    if (made || flow::is_new_use(plain, packet)) {
      flow::begin_record(plain, packet);
      flow::begin_record(quick, packet);
    }
    const std::size_t way = packet.from_lower ? 0 : 1;
    const bool in_place = wire::CommonSegment::is_tcp4(frame) &&
                          wire::CommonSegment(frame).is_common() && !packet.checksum_bad;
    if (in_place && flow::is_steady(quick, wire::CommonSegment(frame), way)) {
      flow::add_steady(quick, wire::CommonSegment(frame), way, frame.time);
      ++steady;
    } else {
      flow::add_to(quick, packet);
    }
    flow::add_to(plain, packet);
    EXPECT_EQ(words_of(plain), words_of(quick)) << what << " frame " << frame.number;
    if (::testing::Test::HasFailure()) break;
  }
  return steady;
}

TEST(Screener, TheQuickUpdateIsThatOfItsTwin) {
  std::size_t steady = 0;
  for (unsigned seed = 1; seed <= 5; ++seed) {
    World world(seed);
    steady += compare_with_twin(world.run(20'000), "random world");
  }
  EXPECT_GT(steady, 1000U);
}

TEST(Screener, TheQuickUpdateIsThatOfItsTwinOnCaptures) {
  const auto captures = shared_captures();
  if (captures.empty()) GTEST_SKIP() << "no shared captures";
  std::size_t steady = 0;
  for (const fs::path& path : captures) {
    auto source = capture::open_capture(path.string(), 0);
    if (!source || !(*source)->stable_bytes()) continue;
    steady += compare_with_twin(all_frames(**source), path.filename().string());
  }
  EXPECT_GT(steady, 10'000U);
}

TEST(Screener, AWindowHalfOfAllNumbersAwayIsNotTakenForRoom) {
  const BuiltFrame built = packet()
                               .ethernet()
                               .ipv4("10.0.0.1", "10.0.0.2")
                               .tcp(ack, ports(4000, 80), seq(1000), ack_number(5000))
                               .payload(1000)
                               .build();
  const wire::Frame frame = built.frame();
  wire::LightPacket packet;
  wire::Packet scratch;
  wire::decode_light(frame, false, packet, scratch);
  const std::size_t way = packet.from_lower ? 0 : 1;
  const wire::CommonSegment segment(frame);
  ASSERT_TRUE(segment.is_common());
  flow::LightRecord record;
  flow::begin_record(record, packet);
  record.completed = true;
  for (flow::LightDirection& end : record.directions) {
    end.state = flow::LightDirection::kHasNext | flow::LightDirection::kHasAcked |
                flow::LightDirection::kHasEdge;
  }
  flow::LightDirection& own = record.directions[way];
  flow::LightDirection& other = record.directions[1 - way];
  own.next = own.acked = SeqNum{1000};
  other.next = other.acked = SeqNum{5000};
  for (const std::uint32_t room : {0U, 1999U, 0x8000'0000U, 0x8000'0010U, 0xffff'ffffU}) {
    own.edge = own.next + room;
    EXPECT_FALSE(flow::is_steady(record, segment, way)) << room;
  }
  for (const std::uint32_t room : {2000U, 0x7fff'ffffU}) {
    own.edge = own.next + room;
    EXPECT_TRUE(flow::is_steady(record, segment, way)) << room;
  }
}

/// Whether a sender of `packets` of `len` bytes for each ACK, whose field says 500, seems to be
/// held by the window, where the handshake was not captured.
bool seems_held_by_window(std::uint32_t packets, std::uint32_t len) {
  std::vector<BuiltFrame> built;
  std::uint32_t sent = 1;
  for (int round = 0; round < 20; ++round) {
    built.push_back(packet()
                        .ethernet()
                        .ipv4("10.0.0.2", "10.0.0.1")
                        .tcp(ack, ports(80, 4000), seq(1), ack_number(sent), window(500))
                        .build());
    for (std::uint32_t i = 0; i < packets; ++i, sent += len) {
      built.push_back(packet()
                          .ethernet()
                          .ipv4("10.0.0.1", "10.0.0.2")
                          .tcp(ack, ports(4000, 80), seq(sent), ack_number(1), window(500))
                          .payload(len)
                          .build());
    }
  }
  std::vector<wire::Frame> frames;
  for (const BuiltFrame& one : built) {
    frames.push_back(one.frame());
    frames.back().number = frames.size();
    frames.back().time = time_from_ns(static_cast<std::int64_t>(frames.size()) * 10'000'000);
  }
  const auto screener = screen(frames, 1);
  for (const flow::LightTable& table : screener->shards()) {
    if (table.size() > 0) return flow::judge_signs(table[0]).has(LightSign::full_window);
  }
  return false;
}

TEST(Screener, AWindowOfUnknownScaleHasRoomForWhatIsSent) {
  EXPECT_FALSE(seems_held_by_window(10, 1448)) << "a scale that the handshake told";
  EXPECT_TRUE(seems_held_by_window(5, 100)) << "all that the field as it stands leaves room for";
}

TEST(Screener, EachInterfaceHasItsOwnOrderOfTime) {
  const BuiltFrame built = packet()
                               .ethernet()
                               .ipv4("10.0.0.1", "10.0.0.2")
                               .tcp(ack, ports(4000, 80), seq(1000), ack_number(5000))
                               .build();
  struct Moment {
    std::uint32_t interface;
    int ms;
  };
  // One interface half a second behind the other; then one step back of its own clock.
  const Moment moments[] = {{0, 1000}, {1, 500},  {0, 1001}, {1, 501},
                            {1, 502},  {0, 1002}, {1, 400},  {0, 1003}};
  std::vector<wire::Frame> frames;
  for (const auto& [interface, ms] : moments) {
    frames.push_back(built.frame());
    frames.back().interface = interface;
    frames.back().time = time_from_ns(std::int64_t{1'000'000} * ms);
    frames.back().number = frames.size();
  }
  const CaptureFacts full = analyse(frames).captures.at(0);
  EXPECT_EQ(full.time_steps_back, 1U);
  EXPECT_NEAR(full.largest_step_back_s, 0.102, 1e-9);
  EXPECT_EQ(full.first, time_from_ns(400'000'000));
  EXPECT_EQ(full.last, time_from_ns(1'003'000'000));
  for (const std::size_t batch : {1, 3, 100}) {
    const auto screener = screen(frames, 1, batch);
    EXPECT_EQ(counts_of(screener->witness().finish({}).at(0)), counts_of(full)) << batch;
  }
}

TEST(Screener, AFloodOfSynsIsCountedWithinItsMemory) {
  constexpr std::uint32_t kFlood = 200'000;
  flow::Screener screener({.memory_bytes = 1 << 20});
  std::vector<BuiltFrame> built;
  std::uint64_t number = 0;
  for (std::uint32_t i = 0; i < kFlood; i += 1000) {
    built.clear();
    for (std::uint32_t k = i; k < i + 1000; ++k) {
      built.push_back(packet()
                          .ethernet()
                          .ipv4("10." + std::to_string(k >> 16) + "." +
                                    std::to_string(k >> 8 & 255) + "." + std::to_string(k & 255),
                                "192.0.2.1")
                          .tcp(syn, ports(4000, 80), seq(k))
                          .build());
    }
    std::vector<wire::Frame> frames;
    for (const BuiltFrame& one : built) {
      frames.push_back(one.frame());
      frames.back().number = ++number;
      frames.back().time = time_from_ns(static_cast<std::int64_t>(number) * 1000);
    }
    screener.add(frames);
  }
  EXPECT_LT(screener.memory_bytes(), 4U << 20);
  std::uint64_t connections = 0, packets = 0;
  for (const flow::LightTable& table : screener.shards()) {
    connections += table.size() + table.let_go().connections;
    packets += table.let_go().packets;
    for (std::size_t i = 0; i < table.size(); ++i) packets += table[i].packets();
  }
  EXPECT_EQ(connections, kFlood);
  EXPECT_EQ(packets, kFlood);
}

}  // namespace
}  // namespace slowpath::test
