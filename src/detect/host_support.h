// SPDX-License-Identifier: Apache-2.0
// What the rules about hosts share: values and counters of MachineFacts with their evidence, steps
// with their undo, and what a window costs.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "detect/host_rule.h"
#include "facts/inspection.h"
#include "facts/machine.h"

namespace slowpath::detect {

/// A setting that is one whole number; nothing where it was not read or is another thing.
std::optional<std::int64_t> number_of(const MachineFacts& facts, std::string_view key);
/// The numbers of a setting such as tcp_rmem, in order; empty where it was not read, or holds what
/// no kernel would.
std::vector<double> numbers_of(const MachineFacts& facts, std::string_view key);
/// Whether a setting was read and is this word, whatever its case.
bool says(const MachineFacts& facts, std::string_view key, std::string_view word);
bool is_read(const MachineFacts& facts, std::string_view key);
/// What a map of numbers has under a name, or 0.
template <typename Values>
typename Values::mapped_type value_at(const Values& values, std::string_view name) {
  const auto found = values.find(std::string(name));
  return found == values.end() ? typename Values::mapped_type{} : found->second;
}
/// A counter's value, or 0.
std::uint64_t count_of(const MachineFacts& facts, std::string_view key);

/// The value as told. The setting must have been read.
const std::string& value_of(const MachineFacts& facts, std::string_view key);
/// Whether a counter was read.
bool is_counted(const MachineFacts& facts, std::string_view key);

/// A count that was computed, however large: "12 345".
std::string whole(double count);

/// "KEY = VALUE" with its origin. The setting must have been read.
HostEvidence shown(const MachineFacts& facts, std::string_view key);
/// "KEY = COUNT" with its origin. The counter must have been read.
HostEvidence counted(const MachineFacts& facts, std::string_view key);
/// A sentence about an interface, with where it was read.
HostEvidence seen_on(const InterfaceFacts& interface, std::string text,
                     EvidenceKind kind = EvidenceKind::setting);

/// Whether the host hands packets on between interfaces: IP forwarding.
bool forwards(const MachineFacts& facts);
/// Neither switched off nor without a link, as far as that was told.
bool is_in_use(const InterfaceFacts& interface);
/// A NIC, virtual or not; no tunnel, bridge, bond, loopback or end of a veth pair.
bool is_nic(const InterfaceFacts& interface);
/// Of a NIC: whether a feature was told, and is on.
bool is_on(const InterfaceFacts& interface, const std::string& feature);
/// Told, off, and not held off by the driver.
bool is_switched_off(const InterfaceFacts& interface, const std::string& feature);
bool is_virtual_machine(const MachineFacts& facts);
/// The catalogue's platform of a host: linux where nobody told.
Platform platform_of(const MachineFacts& facts);

/// `sysctl -w KEY=VALUE` and back to what it is now.
HostStep sysctl_step(const MachineFacts& facts, std::string_view key, const std::string& value);
/// `ip route change ROUTE METRIC`, as in "initcwnd 10", and back to `now`.
HostStep route_step(const RouteFacts& route, std::string_view metric, std::string_view now);
/// `ethtool -K DEV WORD on|off` and back.
HostStep feature_step(const InterfaceFacts& interface, std::string_view word, bool on);
/// The catalogue's remedies of a fault for the platform of the host, those that change something
/// first; DEV, NIC and LINK become the interface, OLD of a sysctl its value. What is so already is
/// left out.
std::vector<HostStep> catalogue_steps(std::string_view fault, const MachineFacts& facts,
                                      std::string_view interface);

/// Whether a remedy of the catalogue, blanks and all ("sysctl -w KEY=NEW"), asks for no other change
/// than a step that has the host's own value.
bool is_said_by(std::string_view general, std::string_view own);

/// "at most 17.5 Mbit/s at 30 ms and 5.24 Mbit/s at 100 ms", and at the aim's own RTT.
std::string window_cost(double window_bytes, const PathAim& aim);

/// Events of which a few are normal.
struct Measure {
  std::span<const std::string_view> events, of;  // counters, summed; `of` may be empty
  double least_count = 0, least_share = 0;       // from here on: `many`
  Severity many = Severity::suspect;
  /// Since boot, from here on: fault, unless nothing more came over an interval.
  double proven_share = std::numeric_limits<double>::infinity();
  /// Per second over the interval, from here on: fault, if also least_share of what went by
  /// meanwhile.
  double proven_per_s = std::numeric_limits<double>::infinity();
};
struct Toll {
  bool read = false;                 // enough was told to judge
  std::optional<Severity> severity;  // nothing: normal
  double events = 0, of = 0, share = 0, per_s = 0;
  std::string text;  // "1 234 of 56 789 (2.2 %)"
  std::vector<HostEvidence> evidence;
};
Toll toll_of(const MachineFacts& facts, const Measure& measure);
/// The same of an interface's statistics.
Toll toll_of(const MachineFacts& facts, const InterfaceFacts& interface, const Measure& measure);

/// Connections that spent much of their busy time (1 s or more) waiting for one thing, by the
/// kernel's own account (TCP_INFO).
struct LimitedSockets {
  bool is_told = false;                // some socket has such an account
  const SocketFacts* worst = nullptr;  // none waits; else valid as long as the facts
  double share = 0;                    // of the worst one's busy time
  std::string who_waits;  // "the connection to 10.0.0.2:80 waits", "3 connections, most of all that
                          // to 10.0.0.2:80, wait"
  std::string value, cost;  // "8 s", "8 s of 10 s"
  HostEvidence evidence;
};
LimitedSockets limited_sockets(const MachineFacts& facts,
                               std::optional<double> SocketFacts::* waited_s, double least_share);

/// A setting with one bad value.
struct SettingRule {
  std::string_view key, bad, expected;  // `bad` whatever its case
  std::string_view claim, why, cost;
  Severity severity = Severity::suspect;
};
/// Whether it was read; a sysctl brings its step along.
bool judge_setting(const Host& host, const SettingRule& rule, std::vector<HostFinding>& found);

/// Counters that should not rise. The claim is followed by how many there are.
struct CounterRule {
  Measure measure;
  std::string_view claim, why, cost;
  Severity most = Severity::fault;
};
/// Whether they were read.
bool judge_counters(const Host& host, const CounterRule& rule, std::vector<HostFinding>& found);
/// The same of each NIC in use.
bool judge_statistics(const Host& host, const CounterRule& rule, std::vector<HostFinding>& found);

}  // namespace slowpath::detect
