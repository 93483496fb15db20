// SPDX-License-Identifier: Apache-2.0
#include "detect/screened.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/unanswered.h"

namespace slowpath::detect {
namespace {

// No more than a doubt from anywhere else (synthesis.cc).
constexpr double kDoubtConfidence = 0.6;

/// "retransmission 1 820, silence 12", the most first.
std::string signs_left(const ScreeningFacts& screening) {
  std::vector<std::pair<std::uint64_t, LightSign>> left;
  for (std::size_t i = 0; i < kLightSignCount; ++i) {
    const auto sign = static_cast<LightSign>(i);
    if (screening[sign].grave_left > 0) left.emplace_back(screening[sign].grave_left, sign);
  }
  std::stable_sort(left.begin(), left.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string text;
  for (const auto& [count, sign] : left) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", to_string(sign), format_count(count));
  }
  return text;
}

std::string what_is_left(const ScreeningFacts& screening) {
  const std::string signs = signs_left(screening);
  return fmt::format(
      "{} more show{} signs that could be a fault{} and were not analysed one by one",
      format_count(screening.grave_left), screening.grave_left == 1 ? "s" : "",
      signs.empty() ? "" : " (" + signs + ")");
}

}  // namespace

void weigh_memory(const Case& facts, Diagnosis& diagnosis) {
  const auto kept = static_cast<std::uint64_t>(facts.connections.size());
  const auto ended = static_cast<std::uint64_t>(
      std::ranges::count_if(facts.connections, &ConnectionFacts::forgotten));
  if (facts.connections_total <= kept && ended == 0) return;
  if (facts.connections_total > kept) {
    diagnosis.summary += fmt::format(
        " {} of {} connections, those that carried least, were only counted: --memory allows no "
        "more.",
        format_count(facts.connections_total - kept), format_count(facts.connections_total));
  }
  if (ended > 0) {
    diagnosis.summary += fmt::format(
        " {} {} ended when idle longest, to make room: what came later of {} counts as another "
        "connection.",
        format_count(ended), ended == 1 ? "was" : "were", ended == 1 ? "it" : "them");
  }
  if (diagnosis.verdict != "healthy" || facts.connections_total <= kept) return;
  diagnosis.verdict = "unclear";
  diagnosis.confidence = std::min(diagnosis.confidence, kDoubtConfidence);
  const std::string file = facts.captures.empty() ? "FILE" : facts.captures.front().file;
  diagnosis.look_next.push_back("slowpath diagnose --memory SIZE " + file + "    (a larger one)");
}

void weigh_screening(const Case& facts, const ScreeningFacts& screening, Diagnosis& diagnosis) {
  if (!screening.used) return weigh_memory(facts, diagnosis);
  if (screening.connections_analysed == screening.connections) return;
  std::string about = fmt::format(
      " Analysed were {} of {} connections: the largest, and the worst of each sign between any "
      "two "
      "hosts; ",
      format_count(screening.connections_analysed), format_count(screening.connections));
  const std::uint64_t flood = flood_left(facts, screening);
  if (screening.grave_left > 0) {
    about += what_is_left(screening) + ".";
  } else if (flood > 0) {
    about += fmt::format(
        "of the others {} are attempts to connect that were repeated, unanswered or refused.",
        format_count(flood));
  } else {
    about += "the others show nothing that could be a fault.";
  }
  diagnosis.summary += about;
  if (diagnosis.verdict != "healthy" || (screening.grave_left == 0 && flood == 0)) return;
  diagnosis.verdict = "unclear";
  diagnosis.confidence = kDoubtConfidence;
  const std::string file = facts.captures.empty() ? "FILE" : facts.captures.front().file;
  diagnosis.look_next.push_back("slowpath diagnose --full " + file);
}

}  // namespace slowpath::detect
