// SPDX-License-Identifier: Apache-2.0
// Sentences about stretches and clocks.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/format.h"
#include "facts/catalogue.h"
#include "report/compare_parts.h"

namespace slowpath::report {
namespace {

/// Below this nobody asks where a packet was held up.
constexpr double kDelayWorthTelling = 1e-3;

/// One packet in twenty is held up, by more than the half of what the way there and back takes.
bool is_held_up(const ComparisonFacts& facts, const BetweenFacts& between) {
  return between.delay.p95_s >=
         std::max(kDelayWorthTelling, facts.clocks[between.clock].round_trip_s / 2);
}

std::string bytes(std::uint64_t count) { return format_bytes(static_cast<double>(count)); }

std::string packets(std::uint64_t count) {
  return fmt::format("{} packet{}", format_count(count), count == 1 ? "" : "s");
}

const std::string& name_of(const ComparisonFacts& facts, std::size_t point) {
  return facts.points[point].name;
}

std::string numbers(const std::vector<FrameRef>& frames, std::uint64_t count) {
  constexpr std::size_t kShown = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(frames.size(), kShown); ++i)
    text += fmt::format("{}{}", i == 0 ? "" : ", ", frames[i].number());
  if (count > kShown) text += fmt::format("{}…", kNoBreak);
  return text;
}

/// " (frames 4, 5, 10 … at gw)".
std::string frames_at(const ComparisonFacts& facts, const Exemplars& frames, std::size_t point) {
  if (frames.count == 0) return {};
  const std::vector<FrameRef> list(
      frames.first.begin(), frames.first.begin() + static_cast<std::ptrdiff_t>(frames.kept()));
  return fmt::format(" (frame{} {} at {})", frames.count == 1 ? "" : "s",
                     numbers(list, frames.count), name_of(facts, point));
}

/// " (frames 4, 9 at server, 5, 10 at gw)".
std::string frames_at(const ComparisonFacts& facts, const PairExemplars& pairs,
                      const BetweenFacts& between) {
  if (pairs.count == 0) return {};
  std::vector<FrameRef> up;
  std::vector<FrameRef> down;
  for (std::size_t i = 0; i < pairs.kept(); ++i) {
    up.push_back(pairs.first[i].upstream);
    down.push_back(pairs.first[i].downstream);
  }
  return fmt::format(" (frame{} {} at {}, {} at {})", pairs.count == 1 ? "" : "s",
                     numbers(up, pairs.count), name_of(facts, between.upstream),
                     numbers(down, pairs.count), name_of(facts, between.downstream));
}

std::string lost_text(const ComparisonFacts& facts, const BetweenFacts& between) {
  const BetweenLosses& losses = between.losses;
  std::string text = fmt::format("{} of {} ({}) never came", packets(losses.packets),
                                 format_count(between.upstream_packets), bytes(losses.bytes));
  if (losses.large_lost > 0) {
    text += fmt::format(": {} of {} of several segments, {} of {} single ones", losses.large_lost,
                        losses.large_lost + losses.large_passed, losses.single_lost,
                        losses.single_lost + losses.single_passed);
  }
  if (losses.large_partly > 0) {
    text += fmt::format("; of {} {}of several segments a part came", losses.large_partly,
                        losses.large_lost > 0 ? "other " : "");
  }
  if (losses.resends > 0)
    text +=
        fmt::format("; {} {} resends", losses.resends, losses.resends == 1 ? "was among" : "were");
  return text + frames_at(facts, losses.frames, between.upstream);
}

std::string cut_text(const ComparisonFacts& facts, const BetweenFacts& between) {
  const BetweenCuts& cuts = between.cuts;
  std::string text;
  if (cuts.split > 0) {
    text += fmt::format("{} frame{} cut into {}", format_count(cuts.split),
                        cuts.split == 1 ? " was" : "s were", format_count(cuts.split_into)) +
            frames_at(facts, cuts.split_frames, between);
  }
  if (cuts.merged > 0) {
    text += fmt::format("{}{} frames were merged into {}", text.empty() ? "" : "; ",
                        format_count(cuts.merged_from), format_count(cuts.merged)) +
            frames_at(facts, cuts.merged_frames, between);
  }
  return text;
}

std::string delay_text(const ComparisonFacts& facts, const BetweenFacts& between) {
  const BetweenDelay& delay = between.delay;
  std::string text = fmt::format("half by {}, one in twenty by {}, at most {} beyond the least",
                                 format_duration(delay.median_s), format_duration(delay.p95_s),
                                 format_duration(delay.max_s));
  if (!delay.worst.empty()) {
    text += fmt::format(" (frame {} at {}, {} at {})", delay.worst.front().frames.upstream.number(),
                        name_of(facts, between.upstream),
                        delay.worst.front().frames.downstream.number(),
                        name_of(facts, between.downstream));
  }
  return text;
}

std::string icmp_text(const ComparisonFacts& facts, const BetweenFacts& between) {
  const BetweenIcmp& icmp = between.icmp;
  const bool filtered = icmp.filtered_between > 0;
  std::string text =
      fmt::format("{} ICMP error{} of {} (type {}, code {}{}, about {} bytes) {}",
                  filtered ? icmp.filtered_between : icmp.refused_between,
                  (filtered ? icmp.filtered_between : icmp.refused_between) == 1 ? "" : "s",
                  to_string(icmp.from), icmp.type, icmp.code,
                  icmp.mtu > 0 ? fmt::format(", MTU {}", icmp.mtu) : "", icmp.quoted_ip_len,
                  filtered ? "never came back through" : "answered here");
  return text + (filtered ? frames_at(facts, icmp.filtered_frames, between.downstream)
                          : frames_at(facts, icmp.refused_frames, between.upstream));
}

std::string rewritten_text(const BetweenFacts& between) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (between.addresses_rewritten) add("addresses or ports");
  if (between.sequence_shift != 0)
    add(fmt::format("sequence numbers by {:+}", between.sequence_shift));
  for (const Rewrite& rewrite : between.rewrites) {
    // Identifications follow from cutting, and one router takes one off the time to live.
    if (rewrite.what != Rewritten::ip_id) add(rewrite_words(rewrite));
  }
  return text;
}

std::string checksum_text(const ComparisonFacts& facts, const BetweenFacts& between) {
  const BetweenContents& contents = between.contents;
  if (contents.became_bad == 0) {
    return fmt::format("{} had sums left to the NIC to finish, came so and were sent again{}",
                       packets(contents.still_unfinished),
                       frames_at(facts, contents.unfinished_frames, between));
  }
  return fmt::format(
      "{} came with a wrong checksum that was not wrong before{}{}", packets(contents.became_bad),
      contents.unfinished_became_bad > 0
          ? fmt::format(" ({} with the same bytes: the sum was left to the NIC and not finished)",
                        contents.unfinished_became_bad)
          : "",
      frames_at(facts, contents.became_bad_frames, between));
}

std::string changed_text(const ComparisonFacts& facts, const BetweenFacts& between) {
  const BetweenContents& contents = between.contents;
  std::string text =
      fmt::format("{} range{} of bytes differ{} though no checksum shows it", contents.changed_good,
                  contents.changed_good == 1 ? "" : "s", contents.changed_good == 1 ? "s" : "");
  if (!contents.ranges.empty()) {
    const ChangedRange& first = contents.ranges.front();
    text += fmt::format("; the first at byte {} of the stream, {} of {} bytes",
                        format_count(static_cast<std::uint64_t>(
                            std::max<std::int64_t>(0, first.begin + first.first_difference))),
                        first.differing, first.compared);
  }
  return text + frames_at(facts, contents.changed_good_frames, between);
}

std::string missed_text(const ComparisonFacts& facts, const BetweenFacts& between) {
  std::string text;
  if (between.unrecorded_packets > 0) {
    text += fmt::format("{} at {}: acknowledged there, and not in its capture",
                        packets(between.unrecorded_packets), name_of(facts, between.downstream));
  }
  if (between.unsourced_packets > 0) {
    text += fmt::format("{}{} at {}: came out at {}, and not in its capture",
                        text.empty() ? "" : "; ", packets(between.unsourced_packets),
                        name_of(facts, between.upstream), name_of(facts, between.downstream));
  }
  return text;
}

/// A sentence about ACKs and the like that were lost; SYNs always count.
std::string bare_text(const ComparisonFacts& facts, const BetweenFacts& between) {
  return fmt::format("{} of {} without data never came{}{}", packets(between.bare_lost),
                     format_count(between.bare_packets),
                     between.syn_lost > 0 ? fmt::format(", {} of them SYNs", between.syn_lost) : "",
                     frames_at(facts, between.bare_lost_frames, between.upstream));
}

}  // namespace

std::string rewrite_words(const Rewrite& rewrite) {
  static constexpr std::array<std::string_view, kRewrittenCount> kNames{
      "TTL",       "ECN bits",         "don't fragment", "IP identification",   "window",
      "MSS",       "window scale",     "SACK permitted", "timestamps",          "fast open",
      "multipath", "timestamp values", "SACK blocks",    "ECN flags of the SYN"};
  const std::string_view name = kNames[static_cast<std::size_t>(rewrite.what)];
  if (rewrite.what == Rewritten::sack_blocks)
    return fmt::format("SACK blocks by {:+} where ACK numbers went by {:+}", rewrite.to,
                       rewrite.from);
  if (rewrite.to < 0) return fmt::format("{} taken out", name);
  if (rewrite.from < 0) return fmt::format("{} put in", name);
  return fmt::format("{}{}{} → {}", name, kNoBreak, rewrite.from, rewrite.to);
}

std::string stretch_of(const ComparisonFacts& facts, const BetweenFacts& between) {
  return fmt::format("{} → {}", name_of(facts, between.upstream),
                     name_of(facts, between.downstream));
}

std::vector<Remark> remarks_of(const ComparisonFacts& facts, const BetweenFacts& between) {
  std::vector<Remark> remarks;
  const BetweenContents& contents = between.contents;
  if (between.nothing_came) {
    remarks.push_back(
        {"lost", "nothing of this direction came, though the other one passes both points", true});
  } else if (between.losses.packets > 0) {
    remarks.push_back({"lost", lost_text(facts, between), true});
  }
  if (between.bare_lost > 0 && (between.bare_comparable || between.syn_lost > 0) &&
      !between.nothing_came)
    remarks.push_back({"lost", bare_text(facts, between), false});
  if (between.icmp.refused_between + between.icmp.filtered_between > 0)
    remarks.push_back({"icmp", icmp_text(facts, between), false});
  if (contents.changed_good > 0) remarks.push_back({"changed", changed_text(facts, between), true});
  if (contents.became_bad + contents.still_unfinished > 0)
    remarks.push_back({"damaged", checksum_text(facts, between), true});
  if (is_held_up(facts, between)) remarks.push_back({"delayed", delay_text(facts, between), false});
  if (between.duplicated_packets > 0) {
    remarks.push_back({"doubled",
                       fmt::format("{} came twice{}", packets(between.duplicated_packets),
                                   frames_at(facts, between.duplicated, between)),
                       false});
  }
  if (between.overtaken_packets > 0) {
    remarks.push_back({"overtaken",
                       fmt::format("{} came after later ones{}", packets(between.overtaken_packets),
                                   frames_at(facts, between.overtaken, between)),
                       false});
  }
  if (std::string text = cut_text(facts, between); !text.empty())
    remarks.push_back({"cut", std::move(text), false});
  if (std::string text = rewritten_text(between); !text.empty())
    remarks.push_back({"rewritten", std::move(text), false});
  if (std::string text = missed_text(facts, between); !text.empty())
    remarks.push_back({"missed", std::move(text), false});
  return remarks;
}

std::string summary_of(const ComparisonFacts& facts, const BetweenFacts& between) {
  std::string text =
      between.upstream_packets > 0
          ? fmt::format("{}, {}", packets(between.upstream_packets), bytes(between.upstream_bytes))
          : fmt::format("{} without data", packets(between.bare_packets));
  const BetweenContents& contents = between.contents;
  if (between.losses.packets == 0 && !between.nothing_came) {
    const bool unchanged = contents.changed_good + contents.became_bad + contents.changed_bad == 0;
    text += unchanged ? "; nothing lost or changed" : "; nothing lost";
  }
  if (contents.identical_bytes > 0)
    text += fmt::format(", {} compared{}", bytes(contents.identical_bytes + contents.changed_bytes),
                        contents.changed_bytes == 0 ? " and equal" : "");
  const ClockRelation& clock = facts.clocks[between.clock];
  if (clock.known && between.delay.samples > 0) {
    text += fmt::format("; takes {} ± {}", format_duration(std::max(0.0, between.delay.least_s)),
                        format_duration(clock.error_s));
  }
  return text;
}

std::string clock_sentence(const ComparisonFacts& facts, const ClockRelation& relation) {
  const std::string& from = name_of(facts, relation.from);
  const std::string& to = name_of(facts, relation.to);
  if (relation.to_server + relation.to_client == 0)
    return fmt::format("{} and {}: no packet tells how they go", from, to);
  if (!relation.known)
    return fmt::format(
        "{} and {}: packets of one direction only, so delays are told above the least alone", from,
        to);
  std::string text =
      std::abs(relation.offset_s) <= relation.error_s && !relation.drifts
          ? fmt::format("{} and {} agree within {}", to, from,
                        format_duration(std::abs(relation.offset_s) + relation.error_s))
          : fmt::format("{} is {} ± {} {} {}", to, format_duration(std::abs(relation.offset_s)),
                        format_duration(relation.error_s),
                        relation.offset_s < 0 ? "behind" : "ahead of", from);
  if (relation.drifts) {
    text += fmt::format(" and {} {:.1f} ± {:.1f} µs a second",
                        relation.drift_ppm > 0 ? "gains" : "loses", std::abs(relation.drift_ppm),
                        relation.drift_error_ppm);
  }
  text += fmt::format("; from {} packets each way",
                      format_count(std::min(relation.to_server, relation.to_client)));
  if (relation.misfit_s > kDelayWorthTelling) {
    text += fmt::format(
        "; no straight line fits by {}: a clock was set meanwhile, or time stamps are rough",
        format_duration(relation.misfit_s));
  }
  return text;
}

}  // namespace slowpath::report
