// SPDX-License-Identifier: Apache-2.0
// A rule about a host: a pure function of MachineFacts. Rules stand in host/, one file a fault of
// the catalogue, so that a fault's packets (detectors/) and its settings can each be judged without
// the other. A file may hold several rules, which all name its fault.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "facts/inspection.h"
#include "facts/machine.h"

namespace slowpath::detect {

/// One host, and the path that it is to serve.
struct Host {
  const MachineFacts& facts;
  PathAim aim;
};

/// One rule. docs/inspect.md is made of these texts.
struct HostRule {
  std::string_view name;             // unique among all rules: "auto-tuning-off"
  std::optional<Platform> platform;  // none: any
  std::string_view needs;            // whose output it reads, in words: "netsh int tcp show global"
  std::string_view fires_when;       // the condition in words, with its thresholds
  /// Adds what is wrong; false where what it needs was not read. `rule`, `fault` and `host` of what
  /// it adds are filled in by inspect_host().
  bool (*look)(const Host& host, std::vector<HostFinding>& found) = nullptr;
};

/// All rules of one fault.
struct HostFault {
  std::string_view id;  // catalogue id
  std::span<const HostRule> rules;
};

/// Sorted by id. The table is generated from the files in host/.
std::span<const HostFault* const> all_host_faults();

}  // namespace slowpath::detect
