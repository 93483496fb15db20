// SPDX-License-Identifier: Apache-2.0
// fragments-dropped: IP fragments are filtered or lost on the way (RFC 8900). What the user sees:
// large datagrams (DNS answers, tunnels, pings without DF) never get an answer, small ones always
// do. Recognised between two hosts by fragmented requests without a single answer beside
// unfragmented ones that were answered, or by reassembly timeouts that the receiver reports (ICMP
// 11/1). If only those die whose fragments changed order, it is fragments-ooo-dropped.
#include <fmt/format.h>

#include "base/format.h"
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "fragments-dropped";

constexpr std::uint64_t kDatagrams = 3;
constexpr std::uint64_t kReassemblyTimeouts = 1;

struct Way {
  const PathFacts& path;
  std::size_t index;
  [[nodiscard]] const FragmentFacts& facts() const { return path.fragments[index]; }
  [[nodiscard]] const IpAddress& from() const { return index == 0 ? path.a : path.b; }
  [[nodiscard]] const IpAddress& to() const { return index == 0 ? path.b : path.a; }
  [[nodiscard]] std::uint64_t small_answered() const { return path.small_answered[index]; }
};

Finding describe(const Way& way) {
  const FragmentFacts& fragments = way.facts();
  Finding finding;
  finding.fault = kFault;
  finding.seconds_lost = fragments.answer_wait_s;
  finding.severity = finding.seconds_lost >= kMaterialSeconds || fragments.reassembly_timeouts > 0
                         ? Severity::fault
                         : Severity::suspect;
  finding.confidence =
      0.75 +
      0.2 *
          how_far(static_cast<double>(fragments.answerable + fragments.reassembly_timeouts), 3, 10);
  finding.claim = fmt::format(
      "none of {} fragmented requests from {} to {} was answered, {} unfragmented ones were",
      fragments.answerable, to_string(way.from()), to_string(way.to()), way.small_answered());
  finding.evidence.push_back(
      shown_by("fragmented and never answered", fragments.unanswered_frames,
               {{"fragmented_requests", static_cast<double>(fragments.answerable)},
                {"answer_wait_s", fragments.answer_wait_s}}));
  if (fragments.reassembly_timeouts > 0) {
    finding.evidence.push_back(
        shown_by(fmt::format("{} reassembly timeouts reported", fragments.reassembly_timeouts),
                 fragments.timeout_frames));
  }
  finding.refuted_by = "an answer to a fragmented request of that size";
  finding.after_fix = {std::nullopt, "cannot be told: datagrams have no rate of their own"};
  finding.wireshark_filter = "ip.flags.mf == 1 || ip.frag_offset > 0 || ipv6.fraghdr";
  finding.next_capture = fmt::format("on {}: tcpdump -ni DEV -s 128 -w fragments.pcap 'host {}'",
                                     to_string(way.to()), to_string(way.from()));
  return finding;
}

void inspect(const Case& facts, Findings& findings) {
  for (const PathFacts& path : facts.paths) {
    for (const std::size_t index : {std::size_t{0}, std::size_t{1}}) {
      const Way way{path, index};
      const FragmentFacts& fragments = way.facts();
      if (fragments.datagrams == 0) continue;
      const bool never_answered =
          fragments.answerable >= kDatagrams && fragments.answered == 0 && way.small_answered() > 0;
      const bool timed_out =
          fragments.reassembly_timeouts >= kReassemblyTimeouts && fragments.answered == 0;
      if (never_answered || timed_out) {
        findings.list.push_back(describe(way));
        continue;
      }
      silent(
          findings, kFault,
          fmt::format("{} of {} fragmented requests from {} were answered; none of at least {}, "
                      "beside answered small ones, is needed",
                      fragments.answered, fragments.answerable, to_string(way.from()), kDatagrams));
    }
  }
}

}  // namespace

extern const Detector fragments_dropped;
const Detector fragments_dropped{.id = kFault,
                                 .scope = Scope::path,
                                 .needs = "fragments, and requests whose answers can be recognised",
                                 .inspect = inspect};

}  // namespace slowpath::detect::detectors
