// SPDX-License-Identifier: Apache-2.0
// The witnesses: what each input is, and what is normal at its place.
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/format.h"
#include "facts/capture.h"
#include "report/text_parts.h"

namespace slowpath::report {
namespace {

/// Notes short enough for the heading: what is seen, in two or three words.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kNormalHere{{
    {"nf-tso-superframe", "frames above the MTU"},
    {"nf-gro-merged", "merged frames"},
    {"nf-partial-csum", "partial checksums"},
    {"nf-zero-csum", "zero checksums"},
    {"nf-ip-len-zero", "IP lengths of zero"},
}};

std::string_view normal_here(std::string_view id) {
  for (const auto& [known, words] : kNormalHere) {
    if (known == id) return words;
  }
  return {};
}

std::string_view vantage_words(Vantage vantage) {
  switch (vantage) {
    case Vantage::unknown:
      return "capture point unknown";
    case Vantage::sender:
      return "sender-side";
    case Vantage::receiver:
      return "receiver-side";
    case Vantage::midpath:
      return "between the ends";
    case Vantage::both:
      return "at both ends";
  }
  std::unreachable();
}

/// "a, b and c".
std::string enumeration(const std::vector<std::string_view>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
    text += words[i];
  }
  return text;
}

std::string place_of(const CaptureFacts& capture) {
  std::vector<std::string_view> normal;
  for (const NormalNote& note : capture.notes) {
    if (const std::string_view words = normal_here(note.id); !words.empty())
      normal.push_back(words);
  }
  std::string text{capture.name};
  if (!text.empty()) text += ", ";
  text += vantage_words(capture.vantage);
  if (!normal.empty()) text += fmt::format("; {} are normal at this point", enumeration(normal));
  return text;
}

void write_damage(Page& page, const CaptureFacts& capture, bool all) {
  if (capture.damage_count > 0) {
    page.entry("damage",
               fmt::format("{} of the file could not be read, in {} {}: {}",
                           format_bytes(static_cast<double>(capture.damaged_bytes)),
                           format_count(capture.damage_count),
                           capture.damage_count == 1 ? "place" : "places",
                           capture.damage.empty() ? "no details" : capture.damage.front()));
    for (std::size_t i = 1; all && i < capture.damage.size(); ++i)
      page.entry("", capture.damage[i]);
  }
  if (capture.cut_short && capture.damage_count == 0) {
    page.entry("damage", "the file ends in the middle of a packet");
  }
}

void write_losses(Page& page, const CaptureFacts& capture) {
  if (capture.reported_drops > 0) {
    page.entry("capture", fmt::format("the capturing program lost {} packets, as it says itself",
                                      format_count(capture.reported_drops)));
  }
  if (capture.clock_tick_s > 0) {
    page.entry("capture", fmt::format("its clock ticks every {}: what is shorter cannot be told",
                                      format_duration(capture.clock_tick_s)));
  }
  if (capture.clock_lag_s > 0) {
    page.entry("capture",
               fmt::format("the clocks of its two directions differ by {}: packets stand before "
                           "those that they echo; this was taken out",
                           format_duration(capture.clock_lag_s)));
  }
  if (capture.clock_skew_s > 0 && capture.clock_skew_s != capture.clock_lag_s) {
    page.entry("capture",
               fmt::format("the clocks of its two directions differ by {}: answers stand before "
                           "what they answer",
                           format_duration(capture.clock_skew_s)));
  }
  std::string skipped;
  const auto add = [&](std::uint64_t count, std::string_view what) {
    if (count == 0) return;
    skipped += fmt::format("{}{} {}", skipped.empty() ? "" : ", ", format_count(count), what);
  };
  add(capture.not_decoded_packets, "of link types or protocols not read here");
  add(capture.malformed_packets, "malformed");
  add(capture.truncated_packets, "cut within their headers");
  if (!skipped.empty()) page.entry("skipped", "packets: " + skipped);
  if (capture.filtered_packets > 0) {
    page.entry("selected", fmt::format("{} packets were left out as asked",
                                       format_count(capture.filtered_packets)));
  }
}

void write_notes(Page& page, const CaptureFacts& capture, bool all) {
  constexpr std::size_t kMostNotes = 4;
  std::size_t shown = 0;
  std::size_t hidden = 0;
  for (const NormalNote& note : capture.notes) {
    if (!all && !normal_here(note.id).empty()) continue;  // The heading has said it.
    if (!all && shown == kMostNotes) {
      ++hidden;
      continue;
    }
    page.entry(shown++ == 0 ? "normal" : "", note.text.empty() ? note.id : note.text);
  }
  if (hidden > 0) page.entry("", fmt::format("{} more with --all", hidden));
  for (const std::string& change : capture.settings_changes) page.entry("changed", change);
}

}  // namespace

void write_inputs(Page& page, const Answer& answer, const TextOptions& options) {
  for (const CaptureFacts& capture : answer.facts.captures) {
    page.heading(capture.file == "-" ? "standard input" : capture.file, place_of(capture));
    write_damage(page, capture, options.all);
    write_losses(page, capture);
    write_notes(page, capture, options.all);
  }
  for (const Unreadable& input : answer.unreadable)
    page.entry("not read", input.why, Tone::doubtful);
}

}  // namespace slowpath::report
