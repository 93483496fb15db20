// SPDX-License-Identifier: Apache-2.0
#include "report/fetch_json.h"

#include <algorithm>
#include <array>

#include "base/format.h"
#include "base/json.h"
#include "base/json_text.h"
#include "base/version.h"
#include "report/json_value.h"

namespace slowpath::report {
namespace {

using Json = nlohmann::ordered_json;
using detect::FetchPlace;
using detect::FetchVerdict;

constexpr const char* kSchemaName = "slowpath.fetch.v1";
/// Excerpts begin at the first byte that differs.
constexpr std::size_t kExcerpt = 64;

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::string_view word_of(FetchEnd end) {
  constexpr std::array<std::string_view, 11> kWords{
      "complete",    "truncated",   "status",  "no-name",  "refused", "unreachable",
      "certificate", "tls-damaged", "stalled", "protocol", "stopped"};
  return kWords[static_cast<std::size_t>(end)];
}

std::string_view word_of(FetchAuthority authority) {
  constexpr std::array<std::string_view, 5> kWords{"unknown", "majority", "asked-again", "digest",
                                                   "file"};
  return kWords[static_cast<std::size_t>(authority)];
}

Json digests_of(const std::vector<FetchDigest>& digests) {
  Json list = Json::array();
  for (const FetchDigest& digest : digests) {
    Json one{{"algorithm", digest.algorithm}, {"hex", digest.hex}};
    if (!digest.from.empty()) one["from"] = digest.from;
    list.push_back(std::move(one));
  }
  return list;
}

Json tcp_of(const FetchTcp& tcp) {
  if (!tcp.known) return nullptr;
  return {{"rtt_us", number(tcp.rtt_us)},           {"rtt_min_us", number(tcp.rtt_min_us)},
          {"segment_size_bytes", tcp.segment_size}, {"retransmits", tcp.retransmits},
          {"segments_in", tcp.segments_in},         {"segments_out_of_order", tcp.out_of_order},
          {"bytes_received", tcp.bytes_received}};
}

Json copy_to_json(const FetchedCopy& copy) {
  return {{"upload", copy.is_upload},
          {"end", word_of(copy.end)},
          {"end_words", copy.end_words},
          {"url", copy.url},
          {"redirects", copy.redirects},
          {"status", copy.status},
          {"local", copy.local},
          {"local_port", copy.local_port},
          {"server", copy.server},
          {"server_port", copy.server_port},
          {"http_version", copy.http_version},
          {"tls_version", copy.tls_version},
          {"headers",
           {{"etag", copy.etag},
            {"last_modified", copy.last_modified},
            {"content_type", copy.content_type},
            {"content_encoding", copy.content_encoding},
            {"server", copy.software},
            {"via", copy.via},
            {"age", copy.age},
            {"accepts_ranges", copy.takes_ranges},
            {"chunked", copy.is_chunked}}},
          {"stated_digests", digests_of(copy.stated)},
          {"announced_bytes", or_null(copy.announced_bytes)},
          {"bytes", copy.bytes},
          {"header_bytes", copy.header_bytes},
          {"name_lookup_s", number(copy.name_s)},
          {"connect_s", number(copy.connect_s)},
          {"first_byte_s", number(copy.first_byte_s)},
          {"total_s", number(copy.total_s)},
          {"rate_bps", number(copy.rate_bps())},
          {"digests", digests_of(copy.digests)},
          {"tcp", tcp_of(copy.tcp)}};
}

std::string excerpt(const std::vector<std::byte>& bytes, std::size_t at) {
  if (at >= bytes.size()) return "";
  return format_hex(std::span{bytes}.subspan(at, std::min(bytes.size() - at, kExcerpt)));
}

Json difference_to_json(const FetchDifference& difference, const FetchPlace& place) {
  const auto at = static_cast<std::size_t>(difference.first - difference.offset);
  return {{"copy", difference.copy},
          {"first_offset", difference.first},
          {"last_offset", difference.last},
          {"differing_bytes", difference.differing},
          {"right_by", word_of(difference.authority)},
          {"leg", place.leg == detect::FetchLeg::unknown ? Json(nullptr)
                                                         : Json(detect::to_string(place.leg))},
          {"expected", excerpt(difference.expected, at)},
          {"seen", excerpt(difference.seen, at)},
          {"stream_offset", or_null(place.stream_offset)},
          {"segment", or_null(place.segment)},
          {"segment_offset_bytes", or_null(place.in_segment)}};
}

Json pattern_of(const FetchVerdict& verdict) {
  if (!verdict.pattern || verdict.pattern->kind == arithmetic::CorruptionKind::none) return nullptr;
  const arithmetic::CorruptionPattern& pattern = *verdict.pattern;
  return {{"kind", arithmetic::to_string(pattern.kind)},
          {"sentence", pattern.sentence},
          {"points_at", pattern.points_at},
          {"source", pattern.source},
          {"places", pattern.places},
          {"differing_bytes", pattern.differing},
          {"checksum_verifies", pattern.checksum_verifies()}};
}

Json packets_of(const FetchFacts& facts) {
  Json list = Json::array();
  for (const FetchPacket& packet : facts.packets) {
    list.push_back({{"difference", packet.difference},
                    {"frame", packet.frame},
                    {"carries", packet.carried_wrong ? "wrong" : "right"},
                    {"checksum", !packet.checksum_known ? "unknown"
                                 : packet.checksum_good ? "good"
                                                        : "bad"}});
  }
  return list;
}

}  // namespace

std::string fetch_to_json(const FetchFacts& facts, const FetchVerdict& verdict) {
  Json copies = Json::array(), differences = Json::array(), ruled_out = Json::array();
  for (const FetchedCopy& copy : facts.copies) copies.push_back(copy_to_json(copy));
  for (const FetchPlace& place : verdict.places) {
    differences.push_back(difference_to_json(facts.differences[place.difference], place));
  }
  for (const RuledOut& rival : verdict.ruled_out) {
    ruled_out.push_back({{"fault", rival.fault}, {"why", rival.why}});
  }
  return json_document(
      {{"schema", kSchemaName},
       {"version", kVersion},
       {"verdict", verdict.fault},
       {"outcome", detect::to_string(verdict.outcome)},
       {"confidence", verdict.confidence},
       {"summary", verdict.summary},
       {"url", facts.url},
       {"uploaded_file", facts.uploaded_file},
       {"repeats", facts.repeats},
       {"interrupted", facts.interrupted},
       {"expected", facts.expected ? digests_of({*facts.expected})[0] : Json(nullptr)},
       {"copies", std::move(copies)},
       {"block_bytes", facts.block_bytes},
       {"blocks_compared", facts.blocks_compared},
       {"blocks_differing", facts.blocks_differing},
       {"blocks_not_kept", facts.blocks_not_kept},
       {"differing_bytes", facts.differing_bytes},
       {"differences", std::move(differences)},
       {"pattern", pattern_of(verdict)},
       {"evidence", verdict.evidence},
       {"ruled_out", std::move(ruled_out)},
       {"next", verdict.next},
       {"capture_file", facts.capture_file},
       {"capture_problem", facts.capture_problem},
       {"capture_verdict", facts.capture_verdict},
       {"capture_summary", facts.capture_summary},
       {"packets", packets_of(facts)}});
}

std::string fetch_error_to_json(std::string_view sentence) {
  return json_document({{"schema", kSchemaName},
                        {"version", kVersion},
                        {"verdict", "unclear"},
                        {"summary", "No answer: nothing was fetched."},
                        {"error", sentence}});
}

}  // namespace slowpath::report
