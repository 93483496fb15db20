// SPDX-License-Identifier: Apache-2.0
// The one or two sentences that a person reads first.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/active_verdict.h"
#include "detect/policy.h"
#include "detect/synthesis_steps.h"

namespace slowpath::detect {
namespace {

std::string sentence(std::string text) {
  text = capitalised(std::move(text));
  if (!text.empty() && text.back() != '.') text += '.';
  return text;
}

const ConnectionFacts* largest(const Case& facts) {
  const ConnectionFacts* best = nullptr;
  std::uint64_t most = 0;
  for (const ConnectionFacts& connection : facts.connections) {
    const std::uint64_t bytes = connection.directions[0].bytes + connection.directions[1].bytes;
    if (best == nullptr || bytes > most) {
      best = &connection;
      most = bytes;
    }
  }
  return best;
}

std::string others_found(std::size_t others) {
  if (others == 0) return {};
  return fmt::format(" {} further {} found.", others, others == 1 ? "fault was" : "faults were");
}

}  // namespace

std::string summary_of_fault(const Case& facts, const Finding& worst, std::size_t others) {
  std::string text = sentence(worst.claim);
  // What many lost together is no part of one connection's time; the claim says it.
  if (worst.spread) return text + others_found(others);
  double whole_s = 0;
  for (const std::uint32_t id : worst.connections) {
    if (const auto* connection = find_connection(facts, id)) {
      whole_s = std::max(whole_s, active_s(*connection));
    }
  }
  if (worst.seconds_lost > 0 && whole_s > 0) {
    // Silent waiting at the end can last longer than the time the user's data was on the way.
    whole_s = std::max(whole_s, worst.seconds_lost);
    text += fmt::format(" It cost {} of {}", format_duration(worst.seconds_lost),
                        format_duration(whole_s));
    if (worst.after_fix.goodput_bps) {
      text += fmt::format("; without it {} {} would be left to expect",
                          to_string(bound_of(worst.after_fix)),
                          format_rate(*worst.after_fix.goodput_bps));
    }
    text += '.';
  }
  return text + others_found(others);
}

std::string summary_of_doubt(const Case& facts, const Doubt& doubt) {
  std::string text = sentence("no cause can be named: " + doubt.why);
  if (facts.unmatched_icmp_errors > 0 && facts.connections.empty()) {
    text += fmt::format(" {} ICMP errors speak of connections that are not in this capture.",
                        facts.unmatched_icmp_errors);
  }
  return text;
}

std::string summary_of_health(const Case& facts, std::size_t unclear) {
  const ConnectionFacts* connection = largest(facts);
  if (connection == nullptr) return "Nothing was found wrong.";
  const auto& [up, down] = connection->directions;
  const DirectionFacts& data = down.bytes >= up.bytes ? down : up;
  std::string text = fmt::format(
      "No fault was found in {}{}; the largest moved {} and was active for {}",
      counted(facts.connections.size(), "connection"),
      unclear > 0 ? fmt::format(", {} of them unclear", unclear) : "",
      format_bytes(static_cast<double>(data.bytes)), format_duration(active_s(*connection)));
  const auto owner = std::ranges::max_element(data.time.seconds);
  if (*owner > 0) {
    const auto index = static_cast<std::size_t>(owner - data.time.seconds.begin());
    text += fmt::format(", most of it ({}) owned by {}",
                        format_percent(data.time.share(static_cast<TimeOwner>(index))),
                        to_string(static_cast<TimeOwner>(index)));
  }
  return text + '.';
}

}  // namespace slowpath::detect
