// SPDX-License-Identifier: Apache-2.0
// What a ruleset does with a packet of which only some fields are known. Three answers: it passes,
// it is dropped, or that depends on what is not known. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "machine/firewall/ruleset.h"

namespace slowpath::machine::firewall {

/// Where packets go: to this host, through it, or out of it.
enum class Way : std::uint8_t { input, forward, output };

struct Packet {
  std::uint64_t family = 4, protocol = 6;
  std::optional<std::uint64_t> icmp_type = {}, icmp_code = {};
  std::optional<std::uint64_t> ct_state = {};  // one bit; nothing: not known
  /// An interface by name, a pattern of names ("eth*"), or "" for one that no rule names. Nothing:
  /// any of them.
  std::optional<std::string> in = {}, out = {};
  bool below_rate = true;
};

struct Fate {
  bool may_pass = false, may_drop = false;
  /// Where it may be dropped: the rule (nullptr: the chain's policy) and its chain; those that do
  /// so for certain come first. Valid as long as the ruleset.
  const Rule* rule = nullptr;
  const Chain* chain = nullptr;       // the one that holds the rule
  const Chain* base_chain = nullptr;  // the one that the kernel calls
};

/// Whether all conditions hold, or may.
bool may_match(const Rule& rule, const Packet& packet);

/// The way of a packet through all base chains of the family, by hook and priority. NAT chains are
/// left out: they see the first packet of a connection only, and cannot drop.
Fate fate_of(const Ruleset& ruleset, Way way, const Packet& packet);

}  // namespace slowpath::machine::firewall
