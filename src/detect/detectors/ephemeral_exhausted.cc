// SPDX-License-Identifier: Apache-2.0
// ephemeral-exhausted: a host has no free local port towards one destination (RFC 6056).
// The user sees "cannot assign requested address". The SYN that fails never leaves, so packets show
// only the rhythm: every new connection takes a port the moment its TIME_WAIT ends. Recognised by
// four-tuples that come back as soon as they can, one after the other, at a rate of ports over
// TIME_WAIT. The host's socket table proves it. Look-alikes: a client that keeps one source port on
// purpose, ports used again after minutes.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/arithmetic/ports.h"
#include "detect/connect_attempts.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "ephemeral-exhausted";
constexpr std::size_t kReuses = 16;
constexpr std::size_t kPorts = 16;
// Of the connections since the first reuse, so many take a port that was just set free.
constexpr double kShare = 0.9;
// TIME_WAIT lasts 60 s on Linux and Solaris, 120 s on Windows, 30 s where it was shortened.
constexpr std::array<double, 4> kTimeWaits{30, arithmetic::kLinuxTimeWaitSeconds,
                                           arithmetic::kWindowsTimeWaitSeconds, 240};
constexpr double kLateShare = 0.05;

struct Reuse {
  std::size_t at_once = 0, since_first = 0;
  double time_wait_s = 0;
  Exemplars frames;
};

Reuse count(const AttemptGroup& group, double time_wait_s) {
  Reuse reuse{0, 0, time_wait_s, {}};
  for (const Attempt& attempt : group.attempts) {
    const ConnectionFacts& connection = *attempt.connection;
    const bool at_once = connection.reuses &&
                         connection.since_reused_s >= time_wait_s * (1 - kLateShare) &&
                         connection.since_reused_s <= time_wait_s * (1 + kLateShare);
    if (at_once) {
      ++reuse.at_once;
      note(reuse.frames, connection.first_frame);
    }
    if (reuse.at_once > 0) ++reuse.since_first;
  }
  return reuse;
}

std::size_t ports_of(const AttemptGroup& group) {
  std::vector<std::uint16_t> ports;
  for (const Attempt& attempt : group.attempts) ports.push_back(attempt.connection->client.port);
  std::ranges::sort(ports);
  const auto rest = std::ranges::unique(ports);
  return ports.size() - rest.size();
}

/// Seconds without a new SYN, before the first port came back: nothing could leave.
double longest_gap_s(const AttemptGroup& group) {
  double longest = 0;
  for (std::size_t i = 1; i < group.attempts.size(); ++i) {
    longest = std::max(longest, seconds_between(group.attempts[i - 1].at, group.attempts[i].at));
  }
  return longest;
}

void inspect_group(const AttemptGroup& group, Findings& findings) {
  Reuse best;
  for (const double time_wait_s : kTimeWaits) {
    if (const Reuse reuse = count(group, time_wait_s); reuse.at_once > best.at_once) best = reuse;
  }
  if (best.at_once == 0) return;
  const ConnectionFacts& first = *group.attempts.front().connection;
  const std::size_t ports = ports_of(group);
  const double share = static_cast<double>(best.at_once) / static_cast<double>(best.since_first);
  if (best.at_once < kReuses || ports < kPorts || share < kShare) {
    return silent(
        findings, kId, first,
        fmt::format(
            "{} of {} connections take a port just set free, of {} ports; {} and {} are needed",
            best.at_once, best.since_first, ports, format_percent(kShare), kPorts));
  }
  Finding finding;
  finding.fault = kId;
  finding.connections = {first.id};
  finding.direction = Direction::to_server;
  finding.severity = Severity::suspect;
  finding.confidence = 0.6 + 0.15 * how_far(static_cast<double>(best.at_once), kReuses, 200);
  finding.seconds_lost = longest_gap_s(group);
  finding.claim = fmt::format(
      "{} has used up its {} ports to {}: {} of {} new connections take a port as its {:.0f} s of "
      "TIME_WAIT end, {:.1f} a second at most",
      to_string(group.client), ports, to_string(group.server), best.at_once, best.since_first,
      best.time_wait_s,
      arithmetic::connections_per_second(static_cast<double>(ports), best.time_wait_s));
  finding.evidence.push_back(shown_by("SYNs from ports that were in TIME_WAIT until then",
                                      best.frames,
                                      {{"ports", static_cast<double>(ports)},
                                       {"reused_at_once", static_cast<double>(best.at_once)}}));
  finding.refuted_by = "ss -tan on the client showing free ports in ip_local_port_range";
  finding.after_fix = {std::nullopt,
                       "cannot be told: what could not be sent is not in the capture"};
  finding.wireshark_filter = "tcp.flags.syn == 1 && " + source_filter(group.client);
  finding.next_capture = fmt::format(
      "on {}: {} | awk '{{print $1}}' | sort | uniq -c; sysctl "
      "net.ipv4.ip_local_port_range",
      to_string(group.client), socket_command(group.server.address, "-tan"));
  findings.list.push_back(std::move(finding));
}

void inspect(const Case& facts, Findings& findings) {
  for (const AttemptGroup& group : group_attempts(attempts_of(facts)))
    inspect_group(group, findings);
}

}  // namespace

extern const Detector ephemeral_exhausted;
const Detector ephemeral_exhausted{
    .id = kId,
    .scope = Scope::capture,
    .needs = "connections of one client to one endpoint, for longer than TIME_WAIT",
    .inspect = inspect};

}  // namespace slowpath::detect::detectors
