// SPDX-License-Identifier: Apache-2.0
// One function for each object of the contract. What it shares with a diagnosis is written by
// json.cc.
#include "report/compare_json.h"

#include <array>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/format.h"
#include "base/json.h"
#include "base/json_text.h"
#include "base/version.h"
#include "report/compare_text.h"
#include "report/json.h"
#include "report/json_value.h"
#include "report/words.h"

namespace slowpath::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchemaName = "slowpath.comparison.v1";

Json frames_of(const Exemplars& frames) {
  Json list = Json::array();
  for (std::size_t i = 0; i < frames.kept(); ++i) list.push_back(frames.first[i].number());
  return list;
}

Json pair_of(const FramePair& pair) {
  return {{"upstream", pair.upstream.number()}, {"downstream", pair.downstream.number()}};
}

Json pairs_of(const PairExemplars& pairs) {
  Json list = Json::array();
  for (std::size_t i = 0; i < pairs.kept(); ++i) list.push_back(pair_of(pairs.first[i]));
  return list;
}

std::string_view word_of(ChecksumSeen checksum) {
  static constexpr std::array<std::string_view, 4> kWords{"unknown", "good", "unfinished", "bad"};
  return kWords[static_cast<std::size_t>(checksum)];
}

std::string_view word_of(PairedBy paired_by) {
  static constexpr std::array<std::string_view, 4> kWords{"addresses", "sequence-numbers",
                                                          "timestamps", "contents"};
  return kWords[static_cast<std::size_t>(paired_by)];
}

std::string_view word_of(Rewritten what) {
  static constexpr std::array<std::string_view, kRewrittenCount> kWords{
      "ttl",         "ecn",       "dont-fragment", "ip-id",
      "window",      "mss",       "window-scale",  "sack-permitted",
      "timestamps",  "fast-open", "multipath",     "timestamp-value",
      "sack-blocks", "ecn-setup"};
  return kWords[static_cast<std::size_t>(what)];
}

Json point_to_json(const ComparedPoint& point, const Case& facts) {
  Json files = Json::array();
  for (const std::uint16_t input : point.inputs) {
    if (input < facts.captures.size()) files.push_back(facts.captures[input].file);
  }
  const bool timed = point.tcp_packets > 0;
  return {{"name", point.name},
          {"files", std::move(files)},
          {"tcp_packets", point.tcp_packets},
          {"connections", point.connections},
          {"tap_copies", point.tap_copies},
          {"forgotten_packets", point.forgotten_packets},
          {"first_time_ns", timed ? Json(to_ns(point.first)) : Json(nullptr)},
          {"last_time_ns", timed ? Json(to_ns(point.last)) : Json(nullptr)}};
}

Json clock_to_json(const ClockRelation& clock) {
  return {{"from", clock.from},
          {"to", clock.to},
          {"known", clock.known},
          {"offset_s", number(clock.offset_s)},
          {"error_s", clock.known ? number(clock.error_s) : Json(nullptr)},
          {"at_time_ns", to_ns(clock.at)},
          {"drift_ppm", number(clock.drift_ppm)},
          {"drift_error_ppm", clock.known ? number(clock.drift_error_ppm) : Json(nullptr)},
          {"drifts", clock.drifts},
          {"misfit_s", number(clock.misfit_s)},
          {"span_s", number(clock.span_s)},
          {"round_trip_s", number(clock.round_trip_s)},
          {"packets_to_server", clock.to_server},
          {"packets_to_client", clock.to_client}};
}

Json losses_to_json(const BetweenFacts& between) {
  const BetweenLosses& losses = between.losses;
  Json copies = Json::array();
  for (const LostCopy& copy : losses.copies) {
    copies.push_back({{"frame", copy.frame.number()},
                      {"time_ns", to_ns(copy.time)},
                      {"begin", copy.begin},
                      {"bytes", copy.len},
                      {"lost_bytes", copy.lost},
                      {"ip_len", copy.ip_len},
                      {"resend", copy.resend}});
  }
  return {{"packets", losses.packets},
          {"bytes", losses.bytes},
          {"resends", losses.resends},
          {"episodes", losses.episodes},
          {"large_lost", losses.large_lost},
          {"large_passed", losses.large_passed},
          {"large_partly", losses.large_partly},
          {"single_lost", losses.single_lost},
          {"single_passed", losses.single_passed},
          {"smallest_lost_ip_len", losses.smallest_lost_ip_len},
          {"largest_lost_ip_len", losses.largest_lost_ip_len},
          {"largest_passed_ip_len", losses.largest_passed_ip_len},
          {"bytes_then_in_pieces", losses.large_then_pieces},
          {"frames", frames_of(losses.frames)},
          {"copies", std::move(copies)},
          {"bare_packets", between.bare_packets},
          {"bare_lost", between.bare_lost},
          {"bare_comparable", between.bare_comparable},
          {"bare_frames", frames_of(between.bare_lost_frames)},
          {"syn_packets", between.syn_packets},
          {"syn_lost", between.syn_lost},
          {"nothing_came", between.nothing_came}};
}

Json delay_to_json(const BetweenDelay& delay) {
  Json bins = Json::array();
  for (const DelayBin& bin : delay.bins) {
    bins.push_back({{"time_ns", to_ns(bin.begin)},
                    {"packets", bin.packets},
                    {"mean_s", number(bin.mean_s)},
                    {"max_s", number(bin.max_s)}});
  }
  Json worst = Json::array();
  for (const DelayMoment& moment : delay.worst) {
    Json json = pair_of(moment.frames);
    json["time_ns"] = to_ns(moment.time);
    json["above_least_s"] = number(moment.above_least_s);
    worst.push_back(std::move(json));
  }
  return {{"samples", delay.samples},
          {"least_s", number(delay.least_s)},
          {"median_above_least_s", number(delay.median_s)},
          {"p95_above_least_s", number(delay.p95_s)},
          {"max_above_least_s", number(delay.max_s)},
          {"worst", std::move(worst)},
          {"series", std::move(bins)}};
}

Json range_to_json(const ChangedRange& range) {
  Json json = pair_of(range.frames);
  json.update({{"time_ns", to_ns(range.time)},
               {"begin", range.begin},
               {"compared", range.compared},
               {"differing", range.differing},
               {"first_difference", range.first_difference},
               {"last_difference", range.last_difference},
               {"upstream_offset", range.upstream_offset},
               {"upstream_len", range.upstream_len},
               {"downstream_offset", range.downstream_offset},
               {"downstream_len", range.downstream_len},
               {"upstream_checksum", word_of(range.upstream_checksum)},
               {"downstream_checksum", word_of(range.downstream_checksum)},
               {"excerpt_offset", range.excerpt_offset},
               {"expected", format_hex(range.expected)},
               {"seen", format_hex(range.seen)}});
  return json;
}

Json contents_to_json(const BetweenContents& contents) {
  Json ranges = Json::array();
  for (const ChangedRange& range : contents.ranges) ranges.push_back(range_to_json(range));
  return {{"identical_bytes", contents.identical_bytes},
          {"not_compared_bytes", contents.not_compared_bytes},
          {"changed_bytes", contents.changed_bytes},
          {"changed_good", contents.changed_good},
          {"changed_bad", contents.changed_bad},
          {"became_bad", contents.became_bad},
          {"unfinished_became_bad", contents.unfinished_became_bad},
          {"still_unfinished", contents.still_unfinished},
          {"became_bad_frames", pairs_of(contents.became_bad_frames)},
          {"ranges", std::move(ranges)}};
}

Json rewrites_to_json(const BetweenFacts& between) {
  Json list = Json::array();
  for (const Rewrite& rewrite : between.rewrites) {
    list.push_back(
        {{"what", word_of(rewrite.what)},
         {"compared", rewrite.compared},
         {"changed", rewrite.changed},
         {"from", rewrite.from < 0 && rewrite.what != Rewritten::sack_blocks ? Json(nullptr)
                                                                             : Json(rewrite.from)},
         {"to", rewrite.to < 0 && rewrite.what != Rewritten::sack_blocks ? Json(nullptr)
                                                                         : Json(rewrite.to)},
         {"frames", pairs_of(rewrite.frames)}});
  }
  return {{"addresses", between.addresses_rewritten},
          {"sequence_shift", between.sequence_shift},
          {"fields", std::move(list)}};
}

Json icmp_to_json(const BetweenIcmp& icmp) {
  return {{"passed", icmp.passed},
          {"refused_between", icmp.refused_between},
          {"filtered_between", icmp.filtered_between},
          {"from", icmp.from.version == 0 ? "" : to_string(icmp.from)},
          {"type", icmp.type},
          {"code", icmp.code},
          {"next_hop_mtu", icmp.mtu},
          {"quoted_ip_len", icmp.quoted_ip_len},
          {"refused_frames", frames_of(icmp.refused_frames)},
          {"filtered_frames", frames_of(icmp.filtered_frames)}};
}

Json between_to_json(const BetweenFacts& between) {
  const BetweenCuts& cuts = between.cuts;
  return {{"upstream", between.upstream},
          {"downstream", between.downstream},
          {"direction", to_word(between.direction)},
          {"clock", between.clock},
          {"segment_size", between.segment_size},
          {"upstream_packets", between.upstream_packets},
          {"upstream_bytes", between.upstream_bytes},
          {"downstream_packets", between.downstream_packets},
          {"downstream_bytes", between.downstream_bytes},
          {"matched_bytes", between.matched_bytes},
          {"lost", losses_to_json(between)},
          {"unrecorded_packets", between.unrecorded_packets},
          {"unsourced_packets", between.unsourced_packets},
          {"duplicated_packets", between.duplicated_packets},
          {"overtaken_packets", between.overtaken_packets},
          {"delay", delay_to_json(between.delay)},
          {"cuts",
           {{"same", cuts.same},
            {"split", cuts.split},
            {"split_into", cuts.split_into},
            {"split_frames", pairs_of(cuts.split_frames)},
            {"merged", cuts.merged},
            {"merged_from", cuts.merged_from},
            {"merged_frames", pairs_of(cuts.merged_frames)}}},
          {"rewritten", rewrites_to_json(between)},
          {"contents", contents_to_json(between.contents)},
          {"icmp", icmp_to_json(between.icmp)}};
}

Json connection_to_json(const ComparedConnection& connection) {
  Json points = Json::array();
  for (const PassedPoint& point : connection.points) {
    points.push_back({{"point", point.point},
                      {"client", to_string(point.client)},
                      {"server", to_string(point.server)},
                      {"connection", point.connection ? Json(*point.connection) : Json(nullptr)},
                      {"first_frame", point.first_frame.number()},
                      {"packets", point.packets}});
  }
  Json stretches = Json::array();
  for (const BetweenFacts& between : connection.between)
    stretches.push_back(between_to_json(between));
  return {{"points", std::move(points)},
          {"paired_by", word_of(connection.paired_by)},
          {"between", std::move(stretches)}};
}

Json unpaired_to_json(const UnpairedConnection& one) {
  return {{"point", one.point},
          {"client", to_string(one.client)},
          {"server", to_string(one.server)},
          {"connection", one.connection ? Json(*one.connection) : Json(nullptr)},
          {"first_frame", one.first_frame.number()},
          {"packets", one.packets},
          {"only_syns", one.only_syns}};
}

template <typename Items, typename Writer>
Json list_of(const Items& items, Writer write) {
  Json list = Json::array();
  for (const auto& item : items) list.push_back(write(item));
  return list;
}

}  // namespace

std::string comparison_to_json(const Answer& answer) {
  // Inputs and findings are the objects of a diagnosis.
  Json diagnosis = parse_ordered_json(to_json(answer, JsonOptions{.most_connections = 0}));
  const ComparisonFacts& facts = answer.facts.comparisons;
  return json_document(
      {{"schema", kSchemaName},
       {"version", kVersion},
       {"verdict", comparison_verdict(answer)},
       {"confidence", diagnosis["confidence"]},
       {"summary", comparison_summary(answer)},
       {"interrupted", answer.interrupted},
       {"inputs", std::move(diagnosis["inputs"])},
       {"points",
        list_of(facts.points, [&](const auto& it) { return point_to_json(it, answer.facts); })},
       {"order_known", facts.order_known},
       {"clocks", list_of(facts.clocks, clock_to_json)},
       {"connections_shared", facts.connections_shared},
       {"connections", list_of(facts.connections, connection_to_json)},
       {"unpaired_total", facts.unpaired_total},
       {"unpaired", list_of(facts.unpaired, unpaired_to_json)},
       {"findings", std::move(diagnosis["findings"])},
       {"look_next", std::move(diagnosis["look_next"])},
       {"statistics", std::move(diagnosis["statistics"])}});
}

std::string comparison_error_to_json(std::string_view sentence) {
  return json_document({{"schema", kSchemaName},
                        {"version", kVersion},
                        {"verdict", "unclear"},
                        {"summary", "No answer: the input could not be read."},
                        {"error", sentence}});
}

}  // namespace slowpath::report
