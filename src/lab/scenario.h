// SPDX-License-Identifier: Apache-2.0
// A story as data: hosts, links with their stages, transfers, what must be found, what cures it.
// Read from TOML by scenario_reader.cc; docs/lab.md describes the keys.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "lab/plane.h"
#include "lab/random.h"
#include "lab/settings.h"

namespace slowpath::lab {

/// A command that a host runs, as its administrator would type it; run without a shell inside its
/// namespace.
struct HostCommand {
  std::string host;
  std::string command;  // "ethtool -K eth0 tso off"
};

struct HostSpec {
  std::string name;  // "server"
  std::uint32_t mtu = 1500;
  std::string congestion_control = "cubic";    // of its routes and sockets
  std::string route;                           // attributes for `ip route`: "rto_min 1s initcwnd 2"
  std::map<std::string, std::string> sysctls;  // "net.ipv4.tcp_sack" = "0"
  std::vector<std::string> commands;           // run after set-up
  bool forwards = false;                       // a router: ip_forward and routes for the others
};

/// A cable between two hosts, with what happens on it.
struct WorldLink {
  std::string a, b;  // host names; a's interface to it is ethN, N counting a's links from 0
  std::vector<StageSpec> a_to_b, b_to_a;
};

struct TransferSpec {
  std::string name;   // "main", "cross"
  Settings settings;  // read by traffic.cc: kind, client, server, bytes, ...
};

struct CaptureSpec {
  std::uint32_t snap_len = 65535 + 14;
  std::vector<std::string> points;   // "server", "client" (guest views), "server-wire",
                                     // "client-wire"; a host with several links: "gateway.eth1"
  std::vector<std::uint16_t> ports;  // only these TCP/UDP ports and all ICMP; empty: everything
};

/// Everything needed to run once. No parameters are left in it.
struct World {
  std::vector<HostSpec> hosts;
  std::vector<WorldLink> links;
  std::vector<TransferSpec> transfers;
  CaptureSpec capture;
  bool ipv6 = false;
};

struct Parameter {
  std::string name, value;  // the value in force
  std::string low, high;    // drawn between them; both empty if it is never drawn
  bool logarithmic = true;
  std::vector<std::string> choices;  // drawn from these
};

struct Expectation {
  std::string point;                  // capture point
  std::vector<std::string> accepted;  // verdicts
};

/// One of several faults, at a capture point that cannot show it.
struct Unseen {
  std::string point, fault;
  std::string why;                    // one sentence, for the reader of docs/lab.md
  std::vector<std::string> shows_as;  // what it looks like there; empty: nothing of it is seen
};

struct Fix {
  std::string summary;  // "segmentation offload off on the server"
  std::vector<HostCommand> commands;
  /// Parameters that the fix sets to other values: the broken world is made anew with them. For
  /// what no command on a host can change, such as a program's own buffer.
  std::map<std::string, std::string> set;
  bool heal = false;      // whatever is broken is taken away: the fixed world is the healthy one
  double rate_ratio = 0;  // main goodput at least this many times the broken one; 0: not asked
  double rate_at_least_bps = 0;
  bool bytes_right = true;  // every transfer's bytes arrive as sent
  bool is_wrong = false;    // it only hides the fault: shown as such
};

/// What the broken run itself must show, in kind.
struct Symptom {
  double rate_below_bps = 0, rate_above_bps = 0;  // 0: not asked
  /// Goodput within kWindowTolerance of so many bytes per round-trip time, as the sender's kernel
  /// measured it (RFC 7323 section 1.1). 0: not asked.
  std::uint64_t window_bytes = 0;
  static constexpr double kWindowTolerance = 0.05;
  bool bytes_wrong = false;  // the hash must differ
};

/// The family of scenarios with more than one fault.
inline constexpr std::string_view kSeveral = "several";

struct Scenario {
  std::string name;                 // of the file: "broken-lso"
  std::string title;                // one line
  std::string story;                // "S1", or empty
  std::string about;                // a few sentences
  std::string family;               // catalogue family of its fault; kSeveral; "healthy"
  std::vector<std::string> faults;  // catalogue ids that it makes; empty: healthy
  bool looks_suspicious = false;    // healthy, but would fool a hasty reader
  bool in_ci = false;               // part of the short matrix
  std::vector<Parameter> parameters;
  World healthy;                      // the twin: without the [fault] table
  World broken;                       // the same as healthy for a healthy scenario
  std::vector<Expectation> expected;  // of the broken world
  std::vector<std::string> allowed;   // further faults that may be named
  std::vector<std::string> never;     // must not be named, neither as fault nor as suspect
  std::vector<Unseen> unseen;         // where there are several faults
  Symptom symptom;
  std::vector<Fix> fixes;  // the right one first
};

struct ScenarioText {
  std::string_view name;  // file name without .toml
  std::string_view toml;
};

/// All scenarios carried in the program, by name; generated from lab/scenarios/*.toml. Static
/// lifetime.
std::span<const ScenarioText> all_scenario_texts();

/// Reads one. `overrides` are parameters set by hand (--set rtt=30ms); a `draw` chooses those that
/// may be drawn and are not overridden. `path_rate`: of the bottleneck both ways that a healthy
/// path gets which has none, "50Mbit/s", with a queue of kPathQueue; empty: it stays without.
/// Errors: usage, naming line or key.
Result<Scenario> read_scenario(std::string_view name, std::string_view toml,
                               const std::map<std::string, std::string>& overrides = {},
                               Random* draw = nullptr, std::string_view path_rate = {});
/// 40 ms at 50 Mbit/s.
inline constexpr std::string_view kPathQueue = "250KB";

}  // namespace slowpath::lab
