// SPDX-License-Identifier: Apache-2.0
// A SYN that asks for something stays unanswered, and the same SYN without it is answered: the
// pairs that ecn-blackhole and tfo-blackhole are proved by.
#pragma once

#include <string>
#include <vector>

#include "detect/support.h"

namespace slowpath::detect {

using AsksForMore = bool (*)(const SynFacts&);

/// What the SYNs to one server address show.
struct SynFallback {
  IpAddress server;
  std::vector<std::uint32_t> connections;  // that fell back
  std::uint32_t pairs = 0;                 // SYN with it unanswered, without it answered
  std::uint32_t answered_with = 0;         // SYNs with it that were answered
  std::uint32_t lost_without = 0;          // SYNs without it that were not
  std::uint64_t lossless_packets = 0;      // of those connections, if they lost nothing at all
  double waited_s = 0;                     // the longest wait of one connection
  double active_s = 0;                     // of that connection
  Exemplars with, without;

  /// The pairs cannot be chance: two of them, or one on a path that lost nothing else.
  [[nodiscard]] bool is_proved() const;
  /// Why the pairs prove nothing, or empty.
  [[nodiscard]] std::string contradiction() const;
};

/// One for each server address with at least one pair.
std::vector<SynFallback> find_fallbacks(const Case& facts, AsksForMore asks);

/// The finding of `fault`; `what` is "asks for ECN", say.
Finding describe_fallback(const Case& facts, std::string_view fault, std::string_view what,
                          const SynFallback& fallback);

}  // namespace slowpath::detect
