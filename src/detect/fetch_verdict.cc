// SPDX-License-Identifier: Apache-2.0
#include "detect/fetch_verdict.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/format.h"
#include "detect/fetch_blame.h"
#include "detect/fetch_legs.h"
#include "detect/fetch_places.h"
#include "detect/fetch_survey.h"

namespace slowpath::detect {
namespace {

using arithmetic::CorruptionKind;

std::string bytes_words(std::uint64_t bytes) { return format_bytes(static_cast<double>(bytes)); }

std::string_view authority_words(FetchAuthority authority) {
  switch (authority) {
    case FetchAuthority::unknown:
      return "which of them is right is not known";
    case FetchAuthority::majority:
      return "most copies have the other bytes there";
    case FetchAuthority::asked_again:
      return "the same range downloaded once more has the other bytes";
    case FetchAuthority::digest:
      return "the copy with the expected hash has the other bytes";
    case FetchAuthority::file:
      return "the local file has the other bytes";
  }
  std::unreachable();
}

void tell_differences(const FetchFacts& facts, FetchVerdict& verdict) {
  if (facts.differences.empty()) return;
  verdict.evidence.push_back(
      fmt::format("{} of {} blocks of {} differ, {} in them", format_count(facts.blocks_differing),
                  format_count(facts.blocks_compared), bytes_words(facts.block_bytes),
                  plural(facts.differing_bytes, "byte", "bytes")));
  verdict.evidence.emplace_back(authority_words(facts.differences.front().authority));
  if (verdict.pattern && verdict.pattern->kind != CorruptionKind::none) {
    std::string text = fmt::format("what changed: {}", verdict.pattern->sentence);
    if (!verdict.pattern->points_at.empty()) {
      text += fmt::format("; this points at {}", verdict.pattern->points_at);
    }
    if (!verdict.pattern->source.empty()) text += fmt::format(" ({})", verdict.pattern->source);
    verdict.evidence.push_back(std::move(text));
    if (verdict.pattern->checksum_verifies()) {
      verdict.evidence.emplace_back(
          "the Internet checksum is the same over the wrong bytes, so no checksum of TCP could "
          "have noticed");
    }
  }
}

/// The server names no version, and nobody expected one: is it one file at all?
bool may_be_generated(const FetchSurvey& survey, const FetchVerdict& verdict) {
  if (survey.has_validators() || survey.as_expected() > 0) return false;
  const bool reads_edited = !verdict.pattern ||
                            verdict.pattern->kind == CorruptionKind::text_edited ||
                            verdict.pattern->kind == CorruptionKind::unknown;
  return !survey.one_length() || !survey.two_are_the_same() || reads_edited;
}

void judge_differing(const FetchFacts& facts, const FetchSurvey& survey, FetchVerdict& verdict) {
  if (const std::string change = survey.change(); !change.empty()) {
    settle(verdict, FetchOutcome::changed, "unclear", 0,
           fmt::format("The file changed on the server between the copies, or the copies come from "
                       "servers with different files ({}): that they differ says nothing about the "
                       "way.",
                       change));
    verdict.next.emplace_back("again, when the file is left alone");
    return;
  }
  if (may_be_generated(survey, verdict)) {
    settle(verdict, FetchOutcome::unclear, "unclear", 0,
           "Copies differ, and the server names no version of the file (no ETag, no "
           "Last-Modified): it may be made anew for every request.");
    verdict.next.emplace_back("a file that does not change, or --expect sha256:HEX");
    return;
  }
  blame(facts, survey, verdict);
}

void judge_unexpected(const FetchFacts& facts, const FetchSurvey& survey, FetchVerdict& verdict) {
  const FetchedCopy& copy = *survey.whole().front();
  std::string what =
      fmt::format("{} the same, and not what {} says",
                  survey.whole().size() == 1 ? "The one copy is always" : "All copies are",
                  facts.expected->from);
  if (facts.has_file && copy.bytes != facts.expected_bytes) {
    what += fmt::format(" ({} instead of {})", bytes_words(copy.bytes),
                        bytes_words(facts.expected_bytes));
  }
  settle(verdict, FetchOutcome::unexpected, "unclear", 0,
         what +
             ": no fault of chance on the way does this. The server, or a cache or proxy in "
             "front of it, has another file, or what was expected belongs to another version.");
  if (survey.whole().size() == 1) {
    verdict.summary = fmt::format(
        "The copy is not what {} says; one copy does not tell chance from another file.",
        facts.expected->from);
    verdict.next.emplace_back("more copies: --repeat 3");
  }
  verdict.next.emplace_back("the hash of the file on the server: sha256sum FILE");
  if (!survey.secured())
    verdict.next.emplace_back("over https, which no box on the way can rewrite");
}

void judge_promise(const FetchDigest& promise, const FetchSurvey& survey, FetchVerdict& verdict) {
  settle(verdict, FetchOutcome::unexpected, "unclear", 0,
         fmt::format("All copies are the same, and the server's own {} says {}:{}: its file was "
                     "changed after that was computed, or a box on the way rewrites it the same "
                     "way each time.",
                     promise.from, promise.algorithm, promise.hex));
  verdict.next.emplace_back("the hash of the file on the server");
  if (!survey.secured())
    verdict.next.emplace_back("over https, which no box on the way can rewrite");
}

void judge_same(const FetchFacts& facts, const FetchSurvey& survey, FetchVerdict& verdict) {
  const std::size_t count = survey.whole().size();
  const std::string size = bytes_words(survey.whole().front()->bytes);
  if (facts.expected && survey.as_expected() == 0) return judge_unexpected(facts, survey, verdict);
  if (!facts.expected) {
    if (const FetchDigest* promise = survey.broken_promise()) {
      return judge_promise(*promise, survey, verdict);
    }
  }
  const bool proved = facts.expected || survey.all_keep_promises();
  const std::string_view how = facts.expected ? "as expected" : "as the server's own digest says";
  const std::string copies = count == 1 ? "The copy" : fmt::format("All {} copies", count);
  if (proved) {
    settle(verdict, FetchOutcome::intact, "healthy", 0.99,
           fmt::format("{} of {} came {}, every byte of them.", copies, size, how));
    return;
  }
  if (count == 1) {
    settle(verdict, FetchOutcome::unclear, "unclear", 0,
           fmt::format("One copy of {} came, and there is nothing to compare it with.", size));
    verdict.next.emplace_back("--repeat 3, or --expect sha256:HEX");
    return;
  }
  settle(verdict, FetchOutcome::consistent, "healthy", 0.9,
         fmt::format("{} of {} are the same, byte for byte. What would be changed in the same way "
                     "each time cannot be seen without --expect.",
                     copies, size));
}

void tell_circumstances(const FetchFacts& facts, const FetchSurvey& survey, FetchVerdict& verdict) {
  if (survey.servers().size() > 1) {
    verdict.evidence.push_back(fmt::format("the copies come from {} servers: {}",
                                           survey.servers().size(),
                                           fmt::join(survey.servers(), ", ")));
  }
  for (const FetchedCopy* copy : survey.whole()) {
    if (copy->content_encoding.empty() || copy->content_encoding == "identity") continue;
    verdict.evidence.push_back(
        fmt::format("the server sent it encoded ({}) although it was asked not to: hashes are of "
                    "the encoded bytes",
                    copy->content_encoding));
    break;
  }
  if (facts.blocks_not_kept > 0) {
    verdict.evidence.push_back(
        fmt::format("of {} the bytes are not at hand, only that they differ",
                    plural(facts.blocks_not_kept, "differing block", "differing blocks")));
  }
}

void judge(const FetchFacts& facts, const FetchSurvey& survey, FetchVerdict& verdict) {
  if (survey.damaged() != nullptr) {
    return settle(verdict, FetchOutcome::corrupted, "payload-altered-csum-good", 0.85,
                  fmt::format("TLS refused what TCP delivered: {}. Bytes are changed on the way "
                              "and TCP's checksum does not notice.",
                              survey.damaged()->end_words));
  }
  const bool has_upload = !facts.uploaded_file.empty();
  if (!survey.whole().empty() && has_upload) return judge_upload(facts, survey, verdict);
  const bool partly_expected =
      facts.expected && survey.as_expected() > 0 && survey.as_expected() < survey.whole().size();
  if (survey.versions() > 1 || partly_expected) return judge_differing(facts, survey, verdict);
  if (survey.truncated() != nullptr) {
    settle(verdict, FetchOutcome::truncated, "unclear", 0,
           fmt::format("A copy ended early: {}.", survey.truncated()->end_words));
    verdict.next.emplace_back("once more with --capture: it shows who ended the connection");
    return;
  }
  if (!survey.whole().empty()) return judge_same(facts, survey, verdict);
  std::string why = "nothing was fetched";
  if (!facts.copies.empty() && !facts.copies.back().end_words.empty()) {
    why = facts.copies.back().end_words;
  }
  settle(verdict, FetchOutcome::failed, "unclear", 0, fmt::format("No copy came: {}.", why));
}

}  // namespace

std::string_view to_string(FetchOutcome outcome) {
  constexpr std::array<std::string_view, kFetchOutcomeCount> kWords{
      "intact",  "consistent", "corrupted", "unexpected",
      "changed", "truncated",  "failed",    "unclear"};
  return kWords[static_cast<std::size_t>(outcome)];
}

std::string_view to_string(FetchLeg leg) {
  constexpr std::array<std::string_view, 4> kWords{"unknown", "up", "down", "both"};
  return kWords[static_cast<std::size_t>(leg)];
}

FetchVerdict judge_fetch(const FetchFacts& facts) {
  FetchVerdict verdict;
  const FetchSurvey survey(facts);
  verdict.places = places_of(facts);
  find_legs(facts, verdict.places);
  verdict.pattern = fetch_pattern(facts);
  judge(facts, survey, verdict);
  if (verdict.outcome == FetchOutcome::corrupted || verdict.outcome == FetchOutcome::unexpected) {
    tell_differences(facts, verdict);
  }
  tell_circumstances(facts, survey, verdict);
  return verdict;
}

}  // namespace slowpath::detect
