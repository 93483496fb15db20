// SPDX-License-Identifier: Apache-2.0
#include "report/fetch_text.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/format.h"
#include "facts/catalogue.h"

namespace slowpath::report {
namespace {

using detect::FetchLeg;
using detect::FetchOutcome;
using detect::FetchPlace;
using detect::FetchVerdict;

constexpr std::size_t kMostCopies = 6;
constexpr std::size_t kMostDifferences = 4;

std::string bytes_words(std::uint64_t bytes) { return format_bytes(static_cast<double>(bytes)); }

Tone tone_of(FetchOutcome outcome) {
  switch (outcome) {
    case FetchOutcome::intact:
    case FetchOutcome::consistent:
      return Tone::good;
    case FetchOutcome::corrupted:
    case FetchOutcome::truncated:
    case FetchOutcome::failed:
      return Tone::bad;
    case FetchOutcome::unexpected:
    case FetchOutcome::changed:
    case FetchOutcome::unclear:
      return Tone::doubtful;
  }
  std::unreachable();
}

/// "HTTP/1.1, TLSv1.3, nginx, from 10.0.0.1:80".
std::string carried_by(const FetchedCopy& copy) {
  std::vector<std::string> parts;
  if (!copy.http_version.empty()) parts.push_back("HTTP/" + copy.http_version);
  if (!copy.tls_version.empty()) parts.push_back(copy.tls_version);
  if (!copy.software.empty()) parts.push_back(copy.software);
  if (!copy.server.empty()) {
    const bool is_v6 = copy.server.find(':') != std::string::npos;
    parts.push_back(fmt::format(fmt::runtime(is_v6 ? "from [{}]:{}" : "from {}:{}"), copy.server,
                                copy.server_port));
  }
  if (copy.redirects > 0) parts.push_back(fmt::format("redirected to {}", copy.url));
  if (!copy.via.empty()) parts.push_back("through " + copy.via);
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string tcp_words(const FetchedCopy& copy) {
  if (!copy.tcp.known) return {};
  std::string text = fmt::format(", RTT {}", format_duration(copy.tcp.rtt_us * 1e-6));
  if (copy.is_upload) {
    text += copy.tcp.retransmits == 0
                ? ", nothing retransmitted"
                : fmt::format(", {} retransmitted", format_count(copy.tcp.retransmits));
  } else if (copy.tcp.out_of_order > 0) {
    text += fmt::format(", {} of {} segments out of order", format_count(copy.tcp.out_of_order),
                        format_count(copy.tcp.segments_in));
  }
  return text;
}

std::string copy_words(const FetchedCopy& copy) {
  if (copy.end != FetchEnd::complete) return copy.end_words;
  std::string text =
      fmt::format("{} in {}", bytes_words(copy.bytes), format_duration(copy.total_s));
  // The rate leaves the server's thinking out, so the wait for it stands beside.
  text += copy.is_upload
              ? fmt::format(" = {}", format_rate(copy.rate_bps()))
              : fmt::format(" (first byte after {}, then {})", format_duration(copy.first_byte_s),
                            format_rate(copy.rate_bps()));
  text += tcp_words(copy);
  for (const FetchDigest& digest : copy.digests) {
    constexpr std::size_t kShort = 16;
    if (digest.algorithm == "sha256") text += ", sha256 " + digest.hex.substr(0, kShort) + "…";
  }
  return text;
}

void write_copies(Page& page, const FetchFacts& facts, const FetchTextOptions& options) {
  const std::size_t shown =
      options.all ? facts.copies.size() : std::min(facts.copies.size(), kMostCopies);
  for (std::size_t i = 0; i < shown; ++i) {
    const FetchedCopy& copy = facts.copies[i];
    page.entry(fmt::format("{} {}", copy.is_upload ? "upload" : "copy", i + 1), copy_words(copy),
               copy.end == FetchEnd::complete ? Tone::plain : Tone::bad);
  }
  if (shown < facts.copies.size()) {
    page.entry("", fmt::format("{} more with --all", facts.copies.size() - shown));
  }
}

std::string hex_around(const std::vector<std::byte>& bytes, std::size_t at) {
  constexpr std::size_t kShown = 12;
  std::string text;
  for (std::size_t i = at; i < std::min(bytes.size(), at + kShown); ++i) {
    text += fmt::format("{}{:02x}", i == at ? "" : " ", std::to_integer<unsigned>(bytes[i]));
  }
  return text;
}

std::string place_words(const FetchDifference& difference, const FetchPlace& place) {
  constexpr std::uint64_t kSuperFrame = 65536;
  constexpr std::uint64_t kPage = 4096;
  std::string text = fmt::format("copy {}, offset {}", difference.copy + 1, difference.first);
  if (difference.last > difference.first) text += fmt::format("–{}", difference.last);
  text += fmt::format(": {} {}", format_count(difference.differing),
                      difference.differing == 1 ? "byte" : "bytes");
  text += fmt::format(" ({} into a page, {} into 64 KiB", difference.first % kPage,
                      difference.first % kSuperFrame);
  if (place.segment) {
    text += fmt::format(", {} into segment {}", *place.in_segment, format_count(*place.segment));
  }
  if (place.leg == FetchLeg::up) text += ", on the way up";
  if (place.leg == FetchLeg::down) text += ", on the way down";
  if (place.leg == FetchLeg::both) text += ", on both ways";
  const auto at = static_cast<std::size_t>(difference.first - difference.offset);
  return text + fmt::format("): {} came as {}", hex_around(difference.expected, at),
                            hex_around(difference.seen, at));
}

void write_differences(Page& page, const FetchFacts& facts, const FetchVerdict& verdict,
                       const FetchTextOptions& options) {
  const std::size_t shown =
      options.all ? verdict.places.size() : std::min(verdict.places.size(), kMostDifferences);
  for (std::size_t i = 0; i < shown; ++i) {
    const FetchPlace& place = verdict.places[i];
    page.entry(i == 0 ? "where" : "", place_words(facts.differences[place.difference], place));
  }
  if (shown < verdict.places.size()) {
    page.entry("", fmt::format("{} more with --all", verdict.places.size() - shown));
  }
}

void write_packets(Page& page, const FetchFacts& facts) {
  if (!facts.capture_problem.empty()) page.entry("packets", facts.capture_problem);
  std::vector<std::string> frames;
  for (const FetchPacket& packet : facts.packets) {
    constexpr std::size_t kShown = 6;
    if (frames.size() == kShown) break;
    frames.push_back(fmt::format("frame {} carries the {} bytes, checksum {}", packet.frame,
                                 packet.carried_wrong ? "wrong" : "right",
                                 !packet.checksum_known ? "not verifiable"
                                 : packet.checksum_good ? "good"
                                                        : "bad"));
  }
  if (!frames.empty()) {
    page.entry("packets", fmt::format("{} ({})", fmt::join(frames, "; "), facts.capture_file));
  }
}

void write_expected(Page& page, const FetchFacts& facts) {
  if (!facts.expected) return;
  page.entry("expected", fmt::format("{}:{} ({})", facts.expected->algorithm, facts.expected->hex,
                                     facts.expected->from));
}

/// The first step of the catalogue; which system it is for is not known.
void write_remedy(Page& page, const FetchVerdict& verdict) {
  const Fault* fault = find_fault(verdict.fault);
  if (fault == nullptr || fault->remedies.empty()) return;
  const RemedyStep& step = fault->remedies.front();
  page.entry(step.only_looks() ? "look" : "do", step.action);
  if (!step.only_looks()) page.entry("", fmt::format("undo: {}", step.undo));
  page.entry("", fmt::format("all steps: slowpath explain {}", verdict.fault));
}

std::string name_of(const FetchVerdict& verdict) {
  const Fault* fault = find_fault(verdict.fault);
  if (fault != nullptr) return fmt::format("{}: {}", verdict.fault, fault->name);
  return fmt::format("{}: {}", verdict.fault, detect::to_string(verdict.outcome));
}

}  // namespace

std::string fetch_to_text(const FetchFacts& facts, const FetchVerdict& verdict,
                          const FetchTextOptions& options) {
  Page page(options.style);
  const Tone tone = tone_of(verdict.outcome);
  if (!options.quiet) {
    const auto answered = std::ranges::find_if(
        facts.copies, [](const FetchedCopy& copy) { return !copy.server.empty(); });
    page.heading(facts.url, answered == facts.copies.end() ? "" : carried_by(*answered));
    write_copies(page, facts, options);
    write_expected(page, facts);
    page.gap();
  }
  page.entry_with_margin(
      "VERDICT", name_of(verdict),
      verdict.confidence > 0 ? fmt::format("{:.2f}", verdict.confidence) : std::string{}, tone);
  if (options.quiet) return std::move(page).take();
  page.entry("", verdict.summary);
  if (verdict.outcome == FetchOutcome::corrupted || verdict.outcome == FetchOutcome::unexpected) {
    write_differences(page, facts, verdict, options);
  }
  for (std::size_t i = 0; i < verdict.evidence.size(); ++i) {
    page.entry(i == 0 ? "evidence" : "", verdict.evidence[i]);
  }
  write_packets(page, facts);
  if (!facts.capture_verdict.empty()) {
    page.entry("diagnose",
               fmt::format("of the capture: {}. {}", facts.capture_verdict, facts.capture_summary));
  }
  for (std::size_t i = 0; i < verdict.ruled_out.size(); ++i) {
    page.entry(i == 0 ? "not" : "",
               fmt::format("{} ({})", verdict.ruled_out[i].fault, verdict.ruled_out[i].why));
  }
  write_remedy(page, verdict);
  for (std::size_t i = 0; i < verdict.next.size(); ++i) {
    page.entry(i == 0 ? "next" : "", verdict.next[i]);
  }
  if (facts.interrupted) page.entry("stopped", "by a signal: this is the answer so far");
  return std::move(page).take();
}

}  // namespace slowpath::report
