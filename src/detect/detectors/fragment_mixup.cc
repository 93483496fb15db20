// SPDX-License-Identifier: Apache-2.0
// fragment-mixup: IP identifications come round while a receiver still waits for the rest of an
// earlier datagram, and it joins fragments of two (RFC 4963). What the user sees: losses that no
// queue explains, and now and then wrong data, as 16-bit checksums miss one in 65 536. Recognised
// by fragments under an identification whose earlier datagram is still incomplete. Where all
// earlier ones were complete nothing can be mixed; whole packets need no identification at all.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/loss_time.h"
#include "detect/policy.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "fragment-mixup";

// One may be a copy from elsewhere with a broken header; three are a pattern.
constexpr std::uint64_t kMixed = 3;

/// Time that losses of this way's connections cost.
double seconds_of(const Case& facts, const PathFacts& path, const IpAddress& from) {
  double seconds = 0;
  for (const std::uint32_t id : path.connections) {
    const ConnectionFacts* const found = find_connection(facts, id);
    if (found == nullptr) continue;
    const bool by_client = found->client.address == from;
    const DirectionFacts& data = (*found)[by_client ? Direction::to_server : Direction::to_client];
    seconds += loss_s(data) + kept_small_s(data);
  }
  return seconds;
}

bool capture_lost_packets(const Case& facts) {
  return std::ranges::any_of(
      facts.captures, [](const CaptureFacts& capture) { return capture.reported_drops > 0; });
}

Finding describe(const Case& facts, const PathFacts& path, std::size_t way) {
  const FragmentFacts& fragments = path.fragments[way];
  const IpAddress& from = way == 0 ? path.a : path.b;
  const IpAddress& to = way == 0 ? path.b : path.a;
  const bool believed = !capture_lost_packets(facts);
  Finding finding;
  finding.fault = kFault;
  finding.seconds_lost = seconds_of(facts, path, from);
  // Wrong data may pass the checksum: it matters whatever the time.
  finding.severity = believed ? Severity::fault : Severity::suspect;
  finding.confidence =
      (believed ? 0.8 : 0.6) + 0.15 * how_far(static_cast<double>(fragments.id_reuses_open), 3, 20);
  finding.claim = fmt::format(
      "{} uses identifications of fragments again after {}, while {} still waits for parts of the "
      "datagrams before: {} datagrams can be joined from different ones",
      to_string(from), format_duration(fragments.id_reuse_shortest_s), to_string(to),
      fragments.id_reuses_open);
  finding.evidence.push_back(
      shown_by(fmt::format("{} identifications came round, {} of them before the earlier datagram "
                           "was complete, the soonest after {}",
                           fragments.id_reuses, fragments.id_reuses_open,
                           format_duration(fragments.id_reuse_shortest_s)),
               fragments.id_reuse_frames,
               {{"id_reuses", static_cast<double>(fragments.id_reuses)},
                {"id_reuses_open", static_cast<double>(fragments.id_reuses_open)},
                {"shortest_reuse_s", fragments.id_reuse_shortest_s}}));
  finding.evidence.push_back(
      shown_by(fmt::format("{} of {} fragmented datagrams stayed incomplete", fragments.incomplete,
                           fragments.datagrams),
               fragments.incomplete_frames,
               {{"incomplete_datagrams", static_cast<double>(fragments.incomplete)}}));
  finding.refuted_by = "more than 30 s between two uses of any identification";
  finding.after_fix = {std::nullopt, "cannot be told: datagrams have no rate of their own"};
  finding.wireshark_filter = "ip.flags.mf == 1 || ip.frag_offset > 0 || ipv6.fraghdr";
  finding.next_capture = fmt::format(
      "on {}: nstat -az IpReasmFails IpReasmOKs; tcpdump -ni DEV -s "
      "128 -w fragments.pcap 'host {}'",
      to_string(to), to_string(from));
  return finding;
}

void inspect(const Case& facts, Findings& findings) {
  for (const PathFacts& path : facts.paths) {
    for (const std::size_t way : {std::size_t{0}, std::size_t{1}}) {
      const FragmentFacts& fragments = path.fragments[way];
      if (fragments.id_reuses == 0) continue;
      if (fragments.id_reuses_open < kMixed) {
        silent(findings, kFault,
               fmt::format("{} identifications of fragments from {} came round within 30 s, {} of "
                           "them beside an incomplete datagram; {} are needed",
                           fragments.id_reuses, to_string(way == 0 ? path.a : path.b),
                           fragments.id_reuses_open, kMixed));
        continue;
      }
      findings.list.push_back(describe(facts, path, way));
    }
  }
}

}  // namespace

extern const Detector fragment_mixup;
const Detector fragment_mixup{.id = kFault,
                              .scope = Scope::path,
                              .needs = "fragments, captured where they arrive",
                              .inspect = inspect};

}  // namespace slowpath::detect::detectors
