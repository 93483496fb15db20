// SPDX-License-Identifier: Apache-2.0
// Folding: "timeouts rule this transfer" is true and useless beside "large sends are never cut".
#include <algorithm>

#include "detect/finding_index.h"
#include "detect/synthesis_steps.h"
#include "facts/catalogue.h"

namespace slowpath::detect {
namespace {

// A special cause that explains less than this of the general one's seconds has not explained it.
constexpr double kExplainingShare = 0.5;

bool share_a_connection(const Finding& a, const Finding& b) {
  if (a.connections.empty() && b.connections.empty()) return true;
  return std::ranges::any_of(a.connections, [&](std::uint32_t id) {
    return std::ranges::find(b.connections, id) != b.connections.end();
  });
}

// The pattern of one is only the look of the other: who knows the bucket knows why losses lie so.
struct Explained {
  std::string_view by, fault;
};
constexpr Explained kExplained[] = {
    {"policer", "random-loss"},     {"policer", "rto-dominated"}, {"policer", "tail-loss"},
    {"policer", "congestion-self"}, {"policer", "path-outage"},
};

bool explains(const Finding& special, const Finding& general) {
  return is_specialisation_of(special.fault, general.fault) ||
         std::ranges::any_of(kExplained, [&](const Explained& pair) {
           return pair.by == special.fault && pair.fault == general.fault;
         });
}

// The strongest special finding beside a general one, or nullptr.
Finding* special_beside(std::vector<Finding>& findings, const FindingIndex& index,
                        const Finding& general) {
  Finding* best = nullptr;
  for (const std::size_t position : index.beside(general)) {
    Finding& special = findings[position];
    if (&special == &general || special.severity < general.severity) continue;
    if (!explains(special, general)) continue;
    if (!is_beside(special, general)) continue;
    if (best == nullptr || special.seconds_lost > best->seconds_lost) best = &special;
  }
  return best;
}

void take_evidence(Finding& special, const Finding& general) {
  for (const Evidence& item : general.evidence) {
    const bool known = std::ranges::any_of(
        special.evidence, [&](const Evidence& own) { return own.text == item.text; });
    if (!known) {
      special.evidence.push_back(item);
      return;
    }
  }
}

}  // namespace

bool is_beside(const Finding& a, const Finding& b) {
  if (!share_a_connection(a, b)) return false;
  return !a.direction || !b.direction || *a.direction == *b.direction;
}

void fold(std::vector<Finding>& findings) {
  const FindingIndex index(findings);
  std::vector<bool> folded(findings.size(), false);
  for (std::size_t i = 0; i < findings.size(); ++i) {
    Finding& general = findings[i];
    Finding* special = special_beside(findings, index, general);
    if (special == nullptr) continue;
    if (special->seconds_lost >= kExplainingShare * general.seconds_lost) {
      take_evidence(*special, general);
      folded[i] = true;
    } else {
      general.seconds_lost -= special->seconds_lost;
    }
  }
  std::size_t at = 0;
  std::erase_if(findings, [&](const Finding&) { return folded[at++]; });
}

}  // namespace slowpath::detect
