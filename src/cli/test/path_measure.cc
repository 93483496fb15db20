// SPDX-License-Identifier: Apache-2.0
#include "cli/test/path_measure.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "probe/path/churn.h"
#include "probe/path/connect_rtt.h"
#include "probe/path/host_counters.h"
#include "probe/path/icmp_echo.h"
#include "probe/path/idle_search.h"
#include "probe/path/path_mtu.h"
#include "probe/path/peer_latency.h"
#include "probe/path/peer_middlebox.h"
#include "probe/path/peer_mtu.h"
#include "probe/path/round_trips.h"
#include "probe/path/udp_probe.h"

namespace slowpath::cli {
namespace {

using probe::PathPeer;

constexpr Duration kSessionWait = std::chrono::seconds(3);
constexpr std::uint32_t kEchoes = 10;
// Ports at which most hosts answer, were it to refuse.
constexpr std::uint16_t kUsualPorts[] = {443, 80, 22};

class Measuring {
 public:
  Measuring(const PathPlan& plan, const PathProgress& progress) : plan_(plan), progress_(progress) {
    facts_.host = plan.target.host;
  }

  Result<PathTestFacts> run() {
    const std::int64_t begin = probe::steady_ns();
    if (auto found = find_host(); !found) return std::unexpected(found.error());
    open_peer();
    if (plan_.middlebox && go_on()) middlebox();
    if (plan_.mtu && go_on()) {
      if (auto sent = mtu(); !sent) return std::unexpected(sent.error());
    }
    if (plan_.latency && go_on()) latency();
    if (plan_.churn && go_on()) churn();
    if (plan_.idle && go_on()) idle();
    if (peer_) (void)peer_->ask("close");
    facts_.elapsed_s = static_cast<double>(probe::steady_ns() - begin) * 1e-9;
    return std::move(facts_);
  }

 private:
  [[nodiscard]] bool go_on() const { return !(progress_.stopped && progress_.stopped()); }
  void tell(std::string_view what) const {
    if (progress_.tell) progress_.tell(what);
  }
  Result<void> find_host();
  Result<void> take_address(const IpAddress& address);
  void open_peer();
  Result<void> mtu();
  void latency();
  void middlebox();
  void idle();
  void churn();
  ConnectTest connect_times();
  [[nodiscard]] std::string why_no_peer() const;

  const PathPlan& plan_;
  const PathProgress& progress_;
  PathTestFacts facts_;
  std::optional<probe::Session> session_;
  std::unique_ptr<PathPeer> peer_;
};

/// Of the probes' own sockets none is told an interface.
Result<void> refuse_link_local(const IpAddress& address) {
  constexpr std::uint8_t kFirst = 0xfe, kSecond = 0x80, kTenBits = 0xc0;
  if (address.version != 6 || address.bytes[0] != kFirst ||
      (address.bytes[1] & kTenBits) != kSecond)
    return {};
  return fail(ErrorKind::usage, "cannot test the path to " + to_string(address),
              "a link-local address leads nowhere without an interface, and these tests name none",
              "name another address of that host; its rate can be measured: --no-path");
}

Result<void> Measuring::find_host() {
  auto addresses = probe::resolve(plan_.target.host, plan_.target.port, plan_.target.family);
  if (!addresses) return std::unexpected(addresses.error());
  Error last;
  for (const probe::SocketAddress& address : *addresses) {
    auto taken = take_address(probe::endpoint_of(address).address);
    if (taken) return {};
    last = taken.error();
  }
  return std::unexpected(last);
}

Result<void> Measuring::take_address(const IpAddress& address) {
  if (auto usable = refuse_link_local(address); !usable) return usable;
  auto local = probe::local_address_towards(address);
  if (!local) return std::unexpected(local.error());
  facts_.peer = address;
  facts_.local = *local;
  return {};
}

void Measuring::open_peer() {
  tell("looking for slowpath serve");
  auto session = probe::Session::open(plan_.target, plan_.secret, kSessionWait);
  if (!session) {
    facts_.peer_missing = session.error().message();
    return;
  }
  // Of several addresses that the name has, the first may be dead.
  const auto remote = probe::remote_endpoint(session->control().socket());
  if (auto taken = remote ? take_address(remote->address) : Result<void>{}; !taken) {
    facts_.peer_missing = taken.error().message();
    return;
  }
  session_ = std::move(*session);
  if (!session_->knows("path")) {
    facts_.peer_missing =
        fmt::format("slowpath {} there knows no path tests", session_->server_version());
    return;
  }
  auto peer = PathPeer::open(facts_.local, facts_.peer,
                             [this](const probe::Json& request, Duration timeout) {
                               return session_->ask(request, "path", timeout);
                             });
  if (!peer) {
    facts_.peer_missing = peer.error().message();
    return;
  }
  peer_ = std::move(*peer);
  facts_.with_peer = true;
}

std::string Measuring::why_no_peer() const {
  return "needs slowpath serve there: " + facts_.peer_missing;
}

Result<void> Measuring::mtu() {
  probe::PathMtuOptions options;
  options.stopped = progress_.stopped;
  options.progress = progress_.tell;
  // The far end tells more, and sooner, than a closed port.
  options.udp = !peer_ || !peer_->has_datagrams();
  auto test = probe::test_path_mtu(facts_.peer, options);
  if (!test) return std::unexpected(test.error());
  facts_.mtu = std::move(*test);
  if (peer_) probe::test_peer_mtu(*peer_, options, *facts_.mtu);
  return {};
}

ConnectTest Measuring::connect_times() {
  probe::ConnectOptions options;
  options.port = plan_.tcp_port != 0 ? plan_.tcp_port : peer_ ? plan_.target.port : 0;
  if (options.port != 0) return probe::measure_connect(facts_.peer, options);
  ConnectTest test;
  for (const std::uint16_t port : kUsualPorts) {
    options.port = port;
    options.wait = std::chrono::milliseconds(1500);
    test = probe::measure_connect(facts_.peer, options);
    if (test.trips.answered > 0) break;
  }
  return test;
}

/// The largest packet that passes both ways, for datagrams that shall not be lost for their size.
std::uint32_t passing_size(const PathTestFacts& facts) {
  constexpr std::uint32_t kUsual = 1400;
  std::uint32_t size = kUsual;
  if (!facts.mtu) return size;
  for (const SizeSweep& sweep : facts.mtu->sweeps) {
    if (sweep.largest_passed_bytes > 0) size = std::min(size, sweep.largest_passed_bytes);
  }
  return size;
}

void Measuring::latency() {
  LatencyTest test;
  tell("connect times");
  test.connect = connect_times();
  if (auto echo = probe::IcmpEcho::open(facts_.peer)) {
    tell("round trips by ICMP echo");
    std::vector<double> trips;
    const std::uint32_t size = 84;
    for (std::uint32_t i = 0; i < kEchoes && go_on(); ++i) {
      const auto answer = (*echo)->volley({&size, 1}, std::chrono::seconds(1)).front();
      if (answer.fate == probe::Fate::passed) trips.push_back(answer.rtt_s);
      if (i >= 2 && trips.empty()) break;
    }
    test.echo = probe::summarise(trips, kEchoes);
  }
  if (peer_) {
    probe::PeerLatencyOptions options;
    options.largest_ip_bytes = passing_size(facts_);
    options.stopped = progress_.stopped;
    options.progress = progress_.tell;
    probe::test_peer_latency(*peer_, options, test);
  } else {
    test.unable = why_no_peer();
  }
  facts_.latency = std::move(test);
}

void Measuring::middlebox() {
  if (peer_) {
    tell("headers at both ends");
    facts_.middlebox = probe::test_middlebox(*peer_);
  } else {
    facts_.middlebox.emplace().unable = why_no_peer();
  }
}

void Measuring::idle() {
  if (!peer_) {
    facts_.idle.emplace().unable = why_no_peer();
    return;
  }
  probe::IdleOptions options;
  options.longest = plan_.idle_longest;
  options.stopped = progress_.stopped;
  options.progress = [this](double seconds) {
    tell(fmt::format("silent connections, {:.0f} of {:.0f} s", seconds,
                     to_seconds(plan_.idle_longest)));
  };
  facts_.idle = probe::search_idle(*peer_, options);
}

/// The far end's counters, where it is there.
probe::HostCounters counters_of(PathPeer* peer) {
  probe::HostCounters counters;
  if (peer == nullptr) return counters;
  const auto answer = peer->ask("counters");
  if (!answer) return counters;
  const probe::Json told = answer->value("counters", probe::Json::object());
  if (!told.is_object()) return counters;
  for (const auto& [name, value] : told.items()) {
    if (value.is_number_unsigned()) counters[name] = value.get<std::uint64_t>();
  }
  return counters;
}

void Measuring::churn() {
  probe::ChurnOptions options;
  options.port = plan_.tcp_port != 0 ? plan_.tcp_port : peer_ ? plan_.target.port : 0;
  if (options.port == 0) {
    facts_.churn.emplace().unable =
        "name a port that accepts (--tcp-port), or run slowpath serve there";
    return;
  }
  options.connections_per_second = plan_.churn_per_second;
  options.how_long = plan_.churn_time;
  options.stopped = progress_.stopped;
  options.progress = [this](std::uint64_t attempts) {
    tell(fmt::format("{} connections", attempts));
  };
  const probe::HostCounters before = counters_of(peer_.get());
  ChurnTest test = probe::test_churn(facts_.peer, options);
  const probe::HostCounters after = counters_of(peer_.get());
  test.listen_overflows = probe::rise(before, after, "TcpExtListenOverflows");
  test.listen_drops = probe::rise(before, after, "TcpExtListenDrops");
  test.syn_cookies = probe::rise(before, after, "TcpExtSyncookiesSent");
  test.conntrack_drops = probe::rise(before, after, "ConntrackDrop");
  facts_.churn = std::move(test);
}

}  // namespace

Result<PathTestFacts> measure_path(const PathPlan& plan, const PathProgress& progress) {
  return Measuring(plan, progress).run();
}

}  // namespace slowpath::cli
