// SPDX-License-Identifier: Apache-2.0
#include "detect/fetch_blame.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/fetch_legs.h"

namespace slowpath::detect {
namespace {

/// What the packets of a capture on this host say.
struct Carried {
  std::size_t wrong = 0, wrong_good = 0, wrong_bad = 0, right = 0;
};

Carried carried(const FetchFacts& facts) {
  Carried count;
  for (const FetchPacket& packet : facts.packets) {
    if (!packet.carried_wrong) {
      ++count.right;
      continue;
    }
    ++count.wrong;
    if (packet.checksum_known) ++(packet.checksum_good ? count.wrong_good : count.wrong_bad);
  }
  return count;
}

}  // namespace

void settle(FetchVerdict& verdict, FetchOutcome outcome, std::string_view fault, double confidence,
            std::string summary) {
  verdict.outcome = outcome;
  verdict.fault = fault;
  verdict.confidence = confidence;
  verdict.summary = std::move(summary);
}

std::string plural(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", format_count(count), count == 1 ? one : many);
}

void blame(const FetchFacts& facts, const FetchSurvey& survey, FetchVerdict& verdict) {
  const Carried seen = carried(facts);
  const std::string count = fmt::format(
      "{} of {} copies", plural(survey.versions(), "version", "versions"), survey.whole().size());
  if (seen.wrong_bad > 0) {
    settle(verdict, FetchOutcome::corrupted, "rx-csum-skipped", 0.95,
           fmt::format("Wrong bytes arrived in packets whose TCP checksum is bad, and this host "
                       "delivered them all the same: {}.",
                       count));
  } else if (seen.wrong > 0) {
    // Merged frames come without a checksum of their own: the NIC has verified those it merged.
    const std::string_view checksum = seen.wrong_good > 0
                                          ? "with a good TCP checksum"
                                          : "whose TCP checksum was no longer there to see";
    settle(verdict, FetchOutcome::corrupted, "payload-altered-csum-good",
           seen.wrong_good > 0 ? 0.9 : 0.8,
           fmt::format("Wrong bytes arrived in packets {}, and TCP took them: they were changed "
                       "before the checksum was made, or it was made anew on the way: {}.",
                       checksum, count));
  } else if (seen.right > 0) {
    settle(verdict, FetchOutcome::corrupted, "corrupt-outside-network", 0.85,
           fmt::format("The packets carried the right bytes, and what was read from the socket is "
                       "wrong: this host changed them after the capture point: {}.",
                       count));
  } else if (survey.secured()) {
    settle(verdict, FetchOutcome::corrupted, "corrupt-outside-network", 0.85,
           fmt::format("Copies of the same file differ ({}) although TLS authenticated every byte "
                       "on the way: it was done at the far end of the TLS connection, or in this "
                       "host's memory.",
                       count));
    verdict.ruled_out.push_back(
        {"payload-altered-csum-good", "TLS would have refused the record (RFC 8446 section 5.2)"});
  } else {
    settle(verdict, FetchOutcome::corrupted, "payload-altered-csum-good", 0.75,
           fmt::format("Copies of the same file differ ({}), and TCP delivered them without "
                       "complaint: bytes are changed between the server's file and this "
                       "program.",
                       count));
    verdict.next.emplace_back(
        "once more with --capture: it tells whether the packets arrived wrong, or this host did "
        "it");
  }
  verdict.ruled_out.push_back({"a file that changes", "the server names one version throughout"});
}

void judge_upload(const FetchFacts& facts, const FetchSurvey& survey, FetchVerdict& verdict) {
  if (survey.as_expected() == survey.whole().size()) {
    settle(verdict, FetchOutcome::intact, "healthy", 0.99,
           fmt::format("The file went up and came back as it was, {}.",
                       plural(survey.whole().size(), "time", "times")));
    return;
  }
  // Each round that went wrong has a second look: the same again, and the server has it wrong.
  std::size_t kept_wrong = 0, way_down = 0;
  for (std::size_t i = 1; i < facts.copies.size(); ++i) {
    const FetchedCopy& first = facts.copies[i - 1];
    const FetchedCopy& second = facts.copies[i];
    if (first.is_upload || second.is_upload || is_as(first, *facts.expected)) continue;
    const bool same = hex_of(first, "sha256") == hex_of(second, "sha256");
    (same ? kept_wrong : way_down) += 1;
  }
  // Block by block where their bytes are at hand: one copy may have suffered on both legs.
  const FetchLegs legs = count_legs(facts, verdict.places);
  if (legs.up + legs.down > 0) {
    // Places that nobody can tell may be of either leg: there the hashes stand.
    kept_wrong = legs.unknown == 0 ? legs.up : std::max(kept_wrong, legs.up);
    way_down = legs.unknown == 0 ? legs.down : std::max(way_down, legs.down);
    verdict.evidence.push_back(fmt::format(
        "{} came the same in both downloads of a round, so the server had it wrong; {} in one "
        "alone",
        plural(legs.up, "place", "places"), plural(legs.down, "place", "places")));
  }
  if (legs.unknown > 0)
    verdict.evidence.push_back(
        fmt::format("of {} nobody can tell the way: the other download's bytes are not at hand",
                    plural(legs.unknown, "place", "places")));
  const std::string_view fault =
      survey.secured() ? "corrupt-outside-network" : "payload-altered-csum-good";
  if (kept_wrong > 0 && way_down == 0) {
    settle(verdict, FetchOutcome::corrupted, fault, 0.7,
           "What came back is not what went up, and is the same each time it is fetched: the bytes "
           "were changed on the way up, or by the server as it stored them; the way down is "
           "sound.");
    verdict.next.emplace_back("the hash of the stored file on the server");
  } else {
    settle(verdict, FetchOutcome::corrupted, fault, 0.75,
           kept_wrong == 0 ? "What came back is not what went up, and differs each time it is "
                             "fetched: the way down changes bytes."
                           : "What came back is not what went up: both the way up (or the server's "
                             "store) and the way down change bytes.");
  }
}

}  // namespace slowpath::detect
