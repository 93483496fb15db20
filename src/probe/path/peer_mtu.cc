// SPDX-License-Identifier: Apache-2.0
#include "probe/path/peer_mtu.h"

#include <algorithm>
#include <thread>

#include "probe/path/load.h"
#include "probe/path/path_messages.h"
#include "probe/path/segment_probe.h"
#include "probe/path/size_sweep.h"
#include "probe/path/stopwatch.h"

namespace slowpath::probe {

/// Datagrams of which the far end says that they came, or that the far end sends.
class PeerSizeProbe final : public SizeProbe {
 public:
  PeerSizeProbe(PathPeer& peer, Direction direction) : peer_(peer), direction_(direction) {}

  std::vector<ProbeAnswer> volley(std::span<const std::uint32_t> ip_bytes, Duration wait) override {
    DatagramPlan plan;
    plan.run = peer_.next_run();
    plan.ip_bytes.assign(ip_bytes.begin(), ip_bytes.end());
    plan.count = ip_bytes.size();
    return direction_ == Direction::to_server ? send(plan, wait) : let_send(plan, wait);
  }
  [[nodiscard]] std::size_t at_once() const override { return 8; }

 private:
  std::vector<ProbeAnswer> send(const DatagramPlan& plan, Duration wait) {
    (void)peer_.datagrams().take_errors();
    const DatagramSent sent = peer_.datagrams().send(plan);
    const auto came = peer_.came(plan.run, plan.count, wait);
    return judge(plan, came.value_or(std::vector<bool>{}), sent.refused_here,
                 to_json(peer_.datagrams().take_errors(), peer_.token_));
  }

  std::vector<ProbeAnswer> let_send(const DatagramPlan& plan, Duration wait) {
    Json request = to_json(plan);
    request["wait_ms"] =
        static_cast<std::uint64_t>(std::clamp(wait, Duration{}, kMostPathWait).count()) / 1'000'000;
    const Result<Json> answer =
        peer_.ask("send", std::move(request), wait + std::chrono::seconds(5));
    if (!answer) return std::vector<ProbeAnswer>(plan.ip_bytes.size());
    const std::vector<bool> arrived = peer_.datagrams().await_counted(
        plan.run, static_cast<std::uint32_t>(plan.count), peer_.settle_time());
    return judge(plan, arrived, sent_from(*answer).refused_here,
                 answer->value("errors", Json::array()));
  }

  std::vector<ProbeAnswer> judge(const DatagramPlan& plan, const std::vector<bool>& arrived,
                                 const std::vector<bool>& refused_here, const Json& errors) const {
    std::vector<ProbeAnswer> answers(plan.ip_bytes.size());
    for (std::size_t i = 0; i < answers.size(); ++i) {
      answers[i].rtt_s = peer_.rtt_s();
      if (i < arrived.size() && arrived[i]) {
        answers[i].fate = Fate::passed;
      } else if (i < refused_here.size() && refused_here[i]) {
        answers[i].fate = Fate::too_large_here;
      }
    }
    for (const Json& error : errors) {
      Fields fields(error);
      const auto mtu = static_cast<std::uint32_t>(fields.number_or("mtu_bytes", 0, 0xffffffff));
      // A quote without our header is about one of those that did not come: the largest, say.
      std::size_t largest = 0;
      for (std::size_t i = 0; i < answers.size(); ++i) {
        if (plan.ip_bytes[i] > plan.ip_bytes[largest]) largest = i;
      }
      const std::size_t at =
          static_cast<std::size_t>(fields.number_or("sequence", largest, 0xffffffff));
      const Result<std::vector<SocketAddress>> from = resolve(fields.text_or("from", "", 64), 0);
      if (at >= answers.size() || answers[at].fate != Fate::silent || !from || from->empty())
        continue;
      answers[at].fate = Fate::refused;
      answers[at].mtu = mtu;
      answers[at].from = endpoint_of(from->front()).address;
    }
    return answers;
  }

  PathPeer& peer_;
  Direction direction_;
};

namespace {

constexpr std::uint32_t kFloor = 100;  // our header fits, IPv6 too
constexpr std::uint32_t kFragmented = 10;
constexpr std::uint32_t kWhole = 576;  // RFC 791: every host takes that much

bool is_stopped(const PathMtuOptions& options) { return options.stopped && options.stopped(); }

void tell(const PathMtuOptions& options, std::string_view what) {
  if (options.progress) options.progress(what);
}

SizeSweep sweep_one_way(PathPeer& peer, Direction direction, const PathMtuOptions& options,
                        std::uint32_t ceiling) {
  SweepLimits limits;
  limits.floor_bytes = kFloor;
  limits.ceiling_bytes = ceiling;
  limits.stopped = options.stopped;
  PeerSizeProbe probe(peer, direction);
  SizeSweep sweep = sweep_sizes(probe, limits);
  sweep.kind = SizeProbeKind::udp_peer;
  sweep.direction = direction;
  return sweep;
}

/// Cut datagrams and whole ones by turns; who receives counts.
FragmentTest fragments_one_way(PathPeer& peer, Direction direction, std::uint32_t mtu,
                               std::uint32_t whole, bool out_of_order) {
  FragmentTest test;
  test.direction = direction;
  test.by_peer = true;
  test.out_of_order = out_of_order;
  test.ip_bytes = mtu * 2 + mtu / 2;
  test.fragments = 3;
  DatagramPlan plan;
  plan.run = peer.next_run();
  // Small enough for any link, so that nobody cuts those, too.
  whole = std::min(whole, kWhole);
  plan.ip_bytes = {test.ip_bytes, whole};
  plan.count = std::uint64_t{2} * kFragmented;
  plan.dont_fragment = false;
  plan.last_first_mtu = out_of_order ? mtu : 0;
  // In a third of a second.
  plan.rate_bps = static_cast<double>(test.ip_bytes + whole) * 8 * kFragmented * 3;
  std::vector<bool> arrived;
  if (direction == Direction::to_server) {
    const DatagramSent sent = peer.datagrams().send(plan);
    if (!sent.unable.empty()) {
      test.unable = sent.unable;
      return test;
    }
    const auto came = peer.came(plan.run, plan.count, peer.settle_time());
    if (!came) {
      test.unable = came.error().message();
      return test;
    }
    arrived = *came;
  } else {
    const auto sent = peer.ask("send", to_json(plan));
    if (!sent) {
      test.unable = sent.error().message();
      return test;
    }
    if (out_of_order && !sent_from(*sent).last_first) {
      const std::string why = sent_from(*sent).unable;
      test.unable = "the far end: " + (why.empty() ? "it does not know how" : why);
      return test;
    }
    arrived = peer.datagrams().await_counted(plan.run, static_cast<std::uint32_t>(plan.count),
                                             peer.settle_time());
  }
  for (std::size_t i = 0; i < plan.count; ++i) {
    const bool came = i < arrived.size() && arrived[i];
    if (i % 2 == 0) {
      ++test.sent;
      test.arrived += came ? 1 : 0;
    } else {
      ++test.whole_sent;
      test.whole_arrived += came ? 1 : 0;
    }
  }
  return test;
}

SegmentTest failed(Direction direction, const Error& error) {
  SegmentTest test;
  test.direction = direction;
  test.unable = error.message();
  return test;
}

SegmentTest segments_there(PathPeer& peer, std::uint32_t singles) {
  Result<PathPeer::Connection> connection = peer.connect(PathUse::sink);
  if (!connection) return failed(Direction::to_server, connection.error());
  return test_segments(connection->socket.get(), Direction::to_server, singles);
}

SegmentTest segments_back(PathPeer& peer, std::uint32_t singles) {
  Result<PathPeer::Connection> connection = peer.connect(PathUse::held);
  if (!connection) return failed(Direction::to_client, connection.error());
  std::atomic<bool> stop{false};
  std::thread reader([&] { drain_load({&connection->socket, 1}, stop); });
  const auto answer = peer.ask("segments", {{"port", connection->local_port}, {"singles", singles}},
                               std::chrono::seconds(30));
  stop = true;
  reader.join();
  if (!answer) return failed(Direction::to_client, answer.error());
  return segments_from(*answer);
}

SegmentTest segments_one_way(PathPeer& peer, Direction direction, const PathMtuOptions& options) {
  const auto once = direction == Direction::to_server ? segments_there : segments_back;
  SegmentTest test = once(peer, kFirstSingles);
  for (std::uint32_t i = 1; i < kSegmentConnections && test.singles_done; ++i) {
    if (is_stopped(options)) break;
    const SegmentTest more = once(peer, kFurtherSingles);
    if (!more.unable.empty()) break;
    add_segments(test, more);
  }
  return test;
}

}  // namespace

void test_peer_mtu(PathPeer& peer, const PathMtuOptions& options, PathMtuTest& test) {
  const std::uint32_t mtu = test.interface_mtu_bytes > 0 ? test.interface_mtu_bytes : 1500;
  for (const Direction direction : {Direction::to_server, Direction::to_client}) {
    if (!peer.has_datagrams() || is_stopped(options)) break;
    tell(options, direction == Direction::to_server ? "packet sizes on the way there"
                                                    : "packet sizes on the way back");
    const std::uint32_t ceiling =
        direction == Direction::to_server ? mtu : peer.interface_mtu_bytes();
    test.sweeps.push_back(sweep_one_way(peer, direction, options, std::min(ceiling, 65535U)));
    const std::uint32_t whole = test.sweeps.back().largest_passed_bytes;
    const std::uint32_t cut = test.sweeps.back().ceiling_bytes;
    if (!options.fragments || whole == 0 || cut * 5 / 2 > 60000 || is_stopped(options)) continue;
    tell(options, "fragments");
    test.fragments.push_back(fragments_one_way(peer, direction, cut, whole, false));
    // Where few arrive in order there is nothing to compare with.
    if (test.fragments.back().arrived * 2 < test.fragments.back().sent || is_stopped(options))
      continue;
    test.fragments.push_back(fragments_one_way(peer, direction, cut, whole, true));
  }
  if (is_stopped(options)) return;
  tell(options, "single segments and bursts");
  test.segments.push_back(segments_one_way(peer, Direction::to_server, options));
  if (!is_stopped(options)) {
    test.segments.push_back(segments_one_way(peer, Direction::to_client, options));
  }
}

}  // namespace slowpath::probe
