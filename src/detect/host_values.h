// SPDX-License-Identifier: Apache-2.0
// What a host is set to as names and texts, so that two readings can be held against each other.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "facts/machine.h"

namespace slowpath::detect {

/// By what they are of. What moves by itself is not among them: counters, rates, sockets, CPU
/// times, numbers of interfaces, path MTUs that were learnt.
struct HostValues {
  std::map<std::string, std::string> settings;                           // by key
  std::map<std::string, std::map<std::string, std::string>> interfaces;  // by name
  /// Those that stand in a list of all interfaces; empty: no such list was read.
  std::set<std::string> listed_interfaces;
  /// By the list they stand in, "IPv4 main", then "default metric 100" -> "via 10.0.0.1 dev eth0".
  std::map<std::string, std::map<std::string, std::string>> routes;
  std::map<std::string, std::string> packages;  // line -> "installed"
  std::map<std::string, std::string> host;      // "kernel", "clock source" ...
};
HostValues values_of(const MachineFacts& facts);

}  // namespace slowpath::detect
