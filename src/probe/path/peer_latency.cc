// SPDX-License-Identifier: Apache-2.0
#include "probe/path/peer_latency.h"

#include <algorithm>
#include <array>
#include <thread>

#include "probe/cpu.h"
#include "probe/path/host_counters.h"
#include "probe/path/load.h"
#include "probe/path/path_messages.h"
#include "probe/path/round_trips.h"

namespace slowpath::probe {
namespace {

constexpr double kEchoesPerSecond = 50;
constexpr std::uint32_t kIdleEchoes = 25;
constexpr std::array kShares{0.1, 0.5, 0.9};
// More would measure the two hosts, not the path between them.
constexpr double kMostOffered_bps = 200e6;
constexpr double kLengthRate_bps = 10e6;
// TCP may reach little more than half of what a limit that drops would let through.
constexpr double kOverload = 2, kMostOverload_bps = 400e6;
constexpr std::uint64_t kOfEachLength = 400;
constexpr double kEnoughDatagrams = 1000, kSmallest = 128;

constexpr std::array kDropCounters{"UdpRcvbufErrors", "Udp6RcvbufErrors"};
constexpr std::array kChecksumCounters{"UdpInCsumErrors", "Udp6InCsumErrors"};

/// All processors together; 0 where nothing is known.
double busy_of(const CpuUse& use) {
  double busy = 0;
  for (const CpuFacts& cpu : use.cpus) busy += busy_share(cpu);
  return use.cpus.empty() ? 0 : busy / static_cast<double>(use.cpus.size());
}

class PeerLatency {
 public:
  PeerLatency(PathPeer& peer, const PeerLatencyOptions& options, LatencyTest& test)
      : peer_(peer), options_(options), test_(test) {}

  void run() {
    tell("round trips, idle");
    const std::vector<double> trips = peer_.echo(kIdleEchoes, kEchoesPerSecond);
    test_.idle = summarise(trips, kIdleEchoes);
    for (const Direction direction : {Direction::to_server, Direction::to_client}) {
      if (is_stopped()) return;
      tell("round trips under load");
      load(direction);
    }
    for (const LatencyTest::Loaded& loaded : std::vector(test_.loaded)) {
      for (const double share : kShares) {
        if (is_stopped()) return;
        tell("loss at shares of the rate");
        run_at(loaded, share);
        if (share * loaded.load_bps >= kMostOffered_bps) break;  // The next would be the same.
      }
      if (is_stopped()) return;
      tell("loss by length");
      by_length(loaded);
      if (is_stopped() || loaded.load_bps * kOverload > kMostOverload_bps) continue;
      tell("twice the rate: does it wait, or is it dropped?");
      run_at(loaded, kOverload);
      // What waits must be gone before the next is measured.
      std::this_thread::sleep_for(peer_.settle_time() +
                                  from_seconds(std::min(3.0, test_.runs.back().delay_growth_s)));
    }
  }

 private:
  [[nodiscard]] bool is_stopped() const { return options_.stopped && options_.stopped(); }
  void tell(std::string_view what) const {
    if (options_.progress) options_.progress(what);
  }
  void load(Direction direction);
  LoadResult fill(Direction direction, const std::function<void()>& meanwhile);
  void run_at(const LatencyTest::Loaded& loaded, double share);
  void by_length(const LatencyTest::Loaded& loaded);
  /// The receiving host's counters.
  HostCounters counters(Direction direction);
  struct Came {
    DatagramSent sent;
    TallyResult tally;
    std::uint64_t dropped_by_host = 0;
    std::optional<std::uint64_t> checksum_errors;
    std::string unable;
  };
  Came send(Direction direction, DatagramPlan plan);

  PathPeer& peer_;
  const PeerLatencyOptions& options_;
  LatencyTest& test_;
};

/// Transfers in one direction, and what is done beside them.
LoadResult PeerLatency::fill(Direction direction, const std::function<void()>& meanwhile) {
  const bool there = direction == Direction::to_server;
  std::vector<Descriptor> sockets;
  Json ports = Json::array();
  for (std::size_t i = 0; i < kLoadConnections; ++i) {
    Result<PathPeer::Connection> connection = peer_.connect(there ? PathUse::sink : PathUse::held);
    if (!connection) {
      test_.unable = connection.error().message();
      return {};
    }
    sockets.push_back(std::move(connection->socket));
    ports.push_back(connection->local_port);
  }
  LoadResult result;
  std::atomic<bool> stop{false};
  std::thread transfer(
      [&] { result = there ? send_load(sockets, options_.load) : drain_load(sockets, stop); });
  std::thread asking([&] {
    if (there) return;
    const auto milliseconds = static_cast<std::uint64_t>(options_.load.count() / 1'000'000);
    (void)peer_.ask("load", {{"ports", ports}, {"ms", milliseconds}},
                    options_.load + std::chrono::seconds(10));
    stop = true;
  });
  meanwhile();
  asking.join();
  transfer.join();
  return result;
}

void PeerLatency::load(Direction direction) {
  LatencyTest::Loaded loaded;
  loaded.direction = direction;
  std::vector<double> trips;
  // The queue needs a moment to fill.
  const Duration before = options_.load / 2;
  const auto count =
      static_cast<std::uint32_t>(to_seconds(options_.load * 2 / 5) * kEchoesPerSecond);
  const CpuSnapshot begin = read_cpu();
  const LoadResult result = fill(direction, [&] {
    std::this_thread::sleep_for(before);
    trips = peer_.echo(count, kEchoesPerSecond);
  });
  loaded.own_busy_share = busy_of(between(begin, read_cpu()));
  loaded.load_bps = result.rate_bps();
  loaded.trips = summarise(trips, count);
  if (loaded.load_bps > 0) test_.loaded.push_back(loaded);
}

HostCounters PeerLatency::counters(Direction direction) {
  if (direction == Direction::to_client) return read_host_counters();
  HostCounters counters;
  const Result<Json> answer = peer_.ask("counters");
  if (!answer) return counters;
  const Json told = answer->value("counters", Json::object());
  if (!told.is_object()) return counters;
  for (const auto& [name, value] : told.items()) {
    if (value.is_number_unsigned()) counters[name] = value.get<std::uint64_t>();
  }
  return counters;
}

PeerLatency::Came PeerLatency::send(Direction direction, DatagramPlan plan) {
  Came came;
  plan.run = peer_.next_run();
  plan.count = std::min<std::uint64_t>(plan.count, kMostDatagramsAsked);
  const HostCounters before = counters(direction);
  if (direction == Direction::to_server) {
    came.sent = peer_.datagrams().send(plan);
    std::this_thread::sleep_for(peer_.settle_time());
    const Result<Json> tally = peer_.ask("tally", {{"run", plan.run}, {"sent", plan.count}});
    if (tally) {
      came.tally = tally_from(*tally);
    } else {
      came.unable = tally.error().message();
    }
  } else {
    const Result<Json> sent = peer_.ask("send", to_json(plan), std::chrono::seconds(30));
    if (sent) {
      came.sent = sent_from(*sent);
      std::this_thread::sleep_for(peer_.settle_time());
      came.tally = peer_.datagrams().tally(plan.run, plan.count);
    } else {
      came.unable = sent.error().message();
    }
  }
  const HostCounters after = counters(direction);
  for (const char* name : kDropCounters)
    came.dropped_by_host += rise(before, after, name).value_or(0);
  for (const char* name : kChecksumCounters) {
    if (const auto errors = rise(before, after, name)) {
      came.checksum_errors = came.checksum_errors.value_or(0) + *errors;
    }
  }
  if (came.sent.sent < plan.count && came.unable.empty()) {
    came.unable = "the sending host did not send all of it";
  }
  return came;
}

void PeerLatency::run_at(const LatencyTest::Loaded& loaded, double share) {
  DatagramRun run;
  run.direction = loaded.direction;
  run.offered_bps =
      std::min(share * loaded.load_bps, share > 1 ? kMostOverload_bps : kMostOffered_bps);
  // On a slow path smaller ones, so that they are enough to count.
  const double bytes = run.offered_bps / 8 * to_seconds(options_.run);
  run.ip_bytes = static_cast<std::uint32_t>(std::clamp(
      bytes / kEnoughDatagrams, kSmallest, static_cast<double>(options_.largest_ip_bytes)));
  run.rate_share = run.offered_bps / loaded.load_bps;
  DatagramPlan plan;
  plan.ip_bytes = {run.ip_bytes};
  plan.rate_bps = run.offered_bps;
  plan.count =
      static_cast<std::uint64_t>(run.offered_bps / 8 / run.ip_bytes * to_seconds(options_.run));
  plan.count = std::max<std::uint64_t>(plan.count, 20);
  const Came came = send(run.direction, std::move(plan));
  run.unable = came.unable;
  run.sent = came.sent.sent;
  // What the receiving host itself threw away is not the path's.
  run.received = std::min(run.sent, came.tally.received + came.dropped_by_host);
  run.damaged = std::min(came.checksum_errors.value_or(0), run.sent - run.received);
  run.duplicates = came.tally.duplicates;
  run.reordered = came.tally.reordered;
  run.loss_runs = came.tally.loss_runs;
  run.longest_loss_run = came.tally.longest_loss_run;
  run.jitter_s = came.tally.jitter_s;
  run.delay_growth_s = came.tally.delay_growth_s;
  if (run.received < run.sent) run.first_lost = came.tally.first_lost;
  run.late_bps = came.tally.late_bps;
  run.course = came.tally.course;
  run.seconds = came.sent.seconds;
  if (run.seconds > 0) run.sent_bps = static_cast<double>(came.sent.bytes) * 8 / run.seconds;
  if (came.tally.seconds > 0) {
    run.received_bps = static_cast<double>(came.tally.bytes) * 8 / came.tally.seconds;
  }
  test_.runs.push_back(std::move(run));
}

void PeerLatency::by_length(const LatencyTest::Loaded& loaded) {
  LengthLoss lengths;
  lengths.direction = loaded.direction;
  const std::uint32_t largest = options_.largest_ip_bytes;
  DatagramPlan plan;
  for (const std::uint32_t size : {100U, largest / 4, largest / 2, largest * 3 / 4, largest}) {
    if (plan.ip_bytes.empty() || size > plan.ip_bytes.back()) plan.ip_bytes.push_back(size);
  }
  plan.count = kOfEachLength * plan.ip_bytes.size();
  plan.rate_bps = std::min(kLengthRate_bps, loaded.load_bps * 0.2);
  // On a slow path fewer, within two runs' time.
  double all_bits = 0;
  for (const std::uint32_t size : plan.ip_bytes) all_bits += size * 8.0 * kOfEachLength;
  const double seconds = all_bits / plan.rate_bps;
  const double most = 2 * to_seconds(options_.run);
  if (seconds > most)
    plan.count = static_cast<std::uint64_t>(static_cast<double>(plan.count) * most / seconds);
  plan.count -= plan.count % plan.ip_bytes.size();
  if (plan.count == 0) return;
  const std::uint64_t of_each = plan.count / plan.ip_bytes.size();
  const std::vector<std::uint32_t> sizes = plan.ip_bytes;
  const Came came = send(loaded.direction, std::move(plan));
  lengths.unable = came.unable;
  if (came.dropped_by_host > 0) lengths.unable = "the receiving host itself dropped some";
  lengths.checksum_errors = came.checksum_errors;
  for (const std::uint32_t size : sizes) {
    const auto found = came.tally.by_size.find(size);
    lengths.sizes.push_back({size, of_each, found == came.tally.by_size.end() ? 0 : found->second});
  }
  test_.lengths.push_back(std::move(lengths));
}

}  // namespace

void test_peer_latency(PathPeer& peer, const PeerLatencyOptions& options, LatencyTest& test) {
  if (!peer.has_datagrams()) {
    test.unable =
        "no datagram comes back from the far end's port: a firewall, or UDP is not let through";
    return;
  }
  PeerLatency(peer, options, test).run();
}

}  // namespace slowpath::probe
