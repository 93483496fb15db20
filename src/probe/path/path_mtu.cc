// SPDX-License-Identifier: Apache-2.0
#include "probe/path/path_mtu.h"

#include <algorithm>
#include <memory>

#include "probe/path/fragment_probe.h"
#include "probe/path/hops.h"
#include "probe/path/icmp_echo.h"
#include "probe/path/size_sweep.h"
#include "probe/path/stopwatch.h"
#include "probe/path/udp_probe.h"

namespace slowpath::probe {
namespace {

// What every link carries: IPv4 68 (RFC 791), IPv6 1280 (RFC 8200). IPv6 is probed below that, too,
// as a tunnel can be broken.
constexpr std::uint32_t kFloor4 = 68, kFloor6 = 88;
constexpr Duration kUdpLongest = std::chrono::seconds(16);
// With closed ports every packet costs a second, so an edge found by echo is only looked at again.
constexpr std::uint32_t kUdpConfirmations = 3;
// No IP packet is larger; loopback's MTU leaves nothing to cut.
constexpr std::uint32_t kMostFragmented = 65535;

class PathMtu {
 public:
  PathMtu(const IpAddress& target, const PathMtuOptions& options)
      : target_(target), options_(options), deadline_(steady_ns() + options.longest.count()) {}

  Result<PathMtuTest> run() {
    const Result<IpAddress> local = local_address_towards(target_);
    if (!local) return std::unexpected(local.error());
    test_.interface_mtu_bytes = interface_mtu_of(*local).value_or(0);
    test_.kernel_pmtu_bytes = kernel_path_mtu(target_);
    sweep_by_echo();
    if (options_.udp && may_go_on()) sweep_by_udp();
    if (options_.hops && may_go_on()) walk();
    if (options_.fragments && may_go_on()) try_fragments();
    return std::move(test_);
  }

 private:
  [[nodiscard]] bool is_stopped() const { return options_.stopped && options_.stopped(); }
  [[nodiscard]] bool may_go_on() const { return !is_stopped() && steady_ns() < deadline_; }
  [[nodiscard]] Duration left() const {
    return std::max(Duration{0}, Duration{deadline_ - steady_ns()});
  }
  void tell(std::string_view what) const {
    if (options_.progress) options_.progress(what);
  }
  [[nodiscard]] SweepLimits limits() const;
  void sweep_by_echo();
  void sweep_by_udp();
  void check_edge_by_udp(const SizeSweep& echo);
  void walk();
  void try_fragments();

  const IpAddress& target_;
  const PathMtuOptions& options_;
  std::int64_t deadline_;
  PathMtuTest test_;
};

SweepLimits PathMtu::limits() const {
  SweepLimits limits;
  limits.floor_bytes = target_.version == 6 ? kFloor6 : kFloor4;
  if (test_.interface_mtu_bytes > 0) {
    limits.ceiling_bytes = std::min(test_.interface_mtu_bytes, limits.ceiling_bytes);
  }
  limits.longest = std::min(limits.longest, left());
  limits.stopped = options_.stopped;
  return limits;
}

void PathMtu::sweep_by_echo() {
  tell("packet sizes by ICMP echo");
  SizeSweep sweep;
  Result<std::unique_ptr<IcmpEcho>> echo = IcmpEcho::open(target_);
  if (echo) {
    sweep = sweep_sizes(**echo, limits());
  } else {
    sweep.unable = echo.error().message();
  }
  sweep.kind = SizeProbeKind::icmp_echo;
  test_.sweeps.push_back(std::move(sweep));
}

/// A host answers few closed ports a second. Where echo found the edge, UDP looks at just that
/// edge: echo needs both ways, UDP only one.
void PathMtu::sweep_by_udp() {
  tell("packet sizes by UDP");
  const SizeSweep& echo = test_.sweeps.front();
  SweepLimits udp = limits();
  udp.longest = std::min(kUdpLongest, left());
  udp.confirmations = kUdpConfirmations;
  if (echo.unable.empty() && echo.finished && echo.smallest_failed_bytes == 0) {
    return;  // Everything passes both ways.
  }
  UdpSizeProbe probe(target_);
  if (echo.unable.empty() && echo.largest_passed_bytes > udp.floor_bytes) {
    udp.floor_bytes = echo.largest_passed_bytes;
    // Passes there and fails just above: the same edge on the way out.
    udp.longest = std::min<Duration>(udp.longest, std::chrono::seconds(10));
    udp.first_try = echo.smallest_failed_bytes;
  }
  SizeSweep sweep = sweep_sizes(probe, udp);
  sweep.kind = SizeProbeKind::udp;
  test_.sweeps.push_back(std::move(sweep));
}

void name_hops(PathMtuTest& test) {
  for (SizeSweep& sweep : test.sweeps) {
    for (MtuReport& report : sweep.reports) {
      const auto hop = std::ranges::find_if(
          test.hops, [&](const PathHop& item) { return item.address == report.from; });
      if (hop != test.hops.end()) report.hop = hop->ttl;
    }
  }
}

void PathMtu::walk() {
  tell("the hops");
  WalkOptions options;
  for (const SizeSweep& sweep : test_.sweeps) {
    options.large_ip_bytes = std::max(options.large_ip_bytes, sweep.smallest_failed_bytes);
  }
  Result<std::vector<PathHop>> hops = walk_path(target_, options);
  if (!hops) return;  // The sweeps have said why.
  test_.hops = std::move(*hops);
  name_hops(test_);
}

void PathMtu::try_fragments() {
  const SizeSweep& echo = test_.sweeps.front();
  const std::uint32_t mtu = test_.interface_mtu_bytes;
  if (!echo.unable.empty() || mtu == 0) return;
  tell("fragments");
  // Small enough for any link (RFC 791), so that nobody cuts those, too.
  const std::uint32_t whole = std::min(echo.largest_passed_bytes, 576U);
  const std::uint32_t size = mtu * 2 + mtu / 2;  // three fragments
  if (size > kMostFragmented) return;
  test_.fragments.push_back(test_fragments(target_, size, mtu, whole));
  if (!may_go_on()) return;
  test_.fragments.push_back(test_fragments_out_of_order(target_, size, mtu, whole));
}

}  // namespace

Result<PathMtuTest> test_path_mtu(const IpAddress& target, const PathMtuOptions& options) {
  return PathMtu(target, options).run();
}

}  // namespace slowpath::probe
