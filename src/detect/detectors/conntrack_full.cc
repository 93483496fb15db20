// SPDX-License-Identifier: Apache-2.0
// conntrack-full: the table of a firewall or NAT has no entry left.
// The user sees that nothing new can be opened, to anybody, while what is open goes on. Recognised
// by SYNs to several servers that vanish at the same time as open connections get answers. The
// box's counter proves it. Look-alikes: a path that is down (open connections fail too), one server
// that is down or full, a NAT out of ports (snat-exhausted: one destination).
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/connect_attempts.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "conntrack-full";
constexpr std::size_t kFailed = 3;
constexpr std::size_t kServers = 2;
constexpr std::size_t kAlive = 2;

/// An open connection that got an answer after `since`.
bool is_alive_after(const Attempt& attempt, Time since) {
  if (!was_open_at(attempt, since)) return false;
  return std::ranges::any_of(attempt.connection->directions,
                             [&](const DirectionFacts& d) { return d.last_ack > since; });
}

void inspect(const Case& facts, Findings& findings) {
  const std::vector<Attempt> attempts = attempts_of(facts);
  const ServersSeen servers_seen(attempts);
  std::vector<const Attempt*> failed;
  std::set<IpAddress> servers;
  for (const Attempt& attempt : attempts) {
    if (!attempt.failed() || attempt.connection->reuses) continue;
    if (servers_seen.is_captured_at(attempt.connection->server)) continue;
    failed.push_back(&attempt);
    servers.insert(attempt.connection->server.address);
  }
  if (failed.empty()) return;
  const Time begin = failed.front()->at;
  const auto alive = static_cast<std::size_t>(std::ranges::count_if(
      attempts, [&](const Attempt& attempt) { return is_alive_after(attempt, begin); }));
  if (failed.size() < kFailed || servers.size() < kServers || alive < kAlive) {
    return silent(findings, kId,
                  fmt::format("{} to {} failed while {} went on; {}, {} and {} are needed",
                              counted(failed.size(), "attempt"), counted(servers.size(), "server"),
                              counted(alive, "connection"), kFailed, kServers, kAlive));
  }
  Finding finding;
  finding.fault = kId;
  finding.connections = ids_of(failed);
  finding.direction = Direction::to_server;
  finding.severity = Severity::suspect;
  finding.confidence = 0.55 + 0.15 * how_far(static_cast<double>(servers.size()), 2, 5);
  finding.seconds_lost = waited_together_s(failed);
  finding.claim = fmt::format(
      "{} new connections to {} servers find no answer while {} open ones go on: a box that keeps "
      "connections on the way may be full",
      failed.size(), servers.size(), alive);
  finding.evidence.push_back(shown_by("their SYNs", syns_of(failed),
                                      {{"failed", static_cast<double>(failed.size())},
                                       {"servers", static_cast<double>(servers.size())},
                                       {"open_and_answered", static_cast<double>(alive)}}));
  finding.refuted_by = "nf_conntrack_count below nf_conntrack_max on every box of the path";
  finding.after_fix = {std::nullopt, "the handshakes then take one round trip"};
  finding.wireshark_filter = "tcp.flags.syn == 1 && tcp.flags.ack == 0";
  finding.next_capture =
      "on the box: sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max; behind "
      "it: " +
      capture_command(*failed.front()->connection, "behind_box.pcap");
  findings.list.push_back(std::move(finding));
}

}  // namespace

extern const Detector conntrack_full;
const Detector conntrack_full{.id = kId,
                              .scope = Scope::capture,
                              .needs = "connections to several servers",
                              .inspect = inspect};

}  // namespace slowpath::detect::detectors
