// SPDX-License-Identifier: Apache-2.0
// fragments-dropped: IP fragments are filtered or lost on the way (RFC 8900). What the user sees:
// large datagrams (DNS answers, tunnels, pings without DF) never get an answer, small ones always
// do. Recognised between two hosts by fragmented requests without a single answer beside
// unfragmented ones that were answered, by reassembly timeouts that the receiver reports (ICMP
// 11/1), or by pieces of which no whole packet ever comes. If only those die whose fragments
// changed order, it is fragments-ooo-dropped. Look-alikes: a capture that misses the other pieces,
// as a filter by ports does, which passes first ones alone; the receiver's ACKs clear it.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "fragments-dropped";

constexpr std::uint64_t kDatagrams = 3;
constexpr std::uint64_t kReassemblyTimeouts = 1;
// So many datagrams, none of which ever came whole: a filter, not an accident.
constexpr std::uint64_t kNeverWhole = 6;

struct Way {
  const PathFacts& path;
  std::size_t index;
  [[nodiscard]] const FragmentFacts& facts() const { return path.fragments[index]; }
  [[nodiscard]] const IpAddress& from() const { return index == 0 ? path.a : path.b; }
  [[nodiscard]] const IpAddress& to() const { return index == 0 ? path.b : path.a; }
  [[nodiscard]] std::uint64_t small_answered() const { return path.small_answered[index]; }
};

bool never_whole(const FragmentFacts& fragments) {
  return fragments.incomplete >= kNeverWhole && fragments.complete == 0 &&
         fragments.answerable == 0;
}

/// A filter by ports lets first pieces into the capture, and keeps all others out.
bool may_be_filtered(const Case& facts, const FragmentFacts& fragments) {
  if (fragments.first_only < fragments.incomplete) return false;
  const bool later_pieces = std::ranges::any_of(facts.paths, [](const PathFacts& path) {
    return std::ranges::any_of(path.fragments, [](const FragmentFacts& each) {
      return each.datagrams > each.first_only + each.garbled;
    });
  });
  const bool without_ports = std::ranges::any_of(facts.captures, [](const CaptureFacts& capture) {
    return capture.icmp_packets + capture.other_packets > 0;
  });
  return !later_pieces && !without_ports;
}

/// The receiver acknowledged bytes that the capture has not: the pieces came, and it missed them.
bool pieces_arrived(const Case& facts, const Way& way) {
  return std::ranges::any_of(transfers_with_data(facts), [&](const Transfer& transfer) {
    return transfer.sender().address == way.from() && transfer.receiver().address == way.to() &&
           transfer.data().unseen_acked_bytes > 0;
  });
}

// How long the connections of this pair were in vain: all the time, as nothing fragmented passes.
double seconds_in_vain(const Case& facts) {
  double seconds = 0;
  for (const CaptureFacts& capture : facts.captures) {
    seconds = std::max(seconds, seconds_between(capture.first, capture.last));
  }
  return seconds;
}

Finding describe_pieces(const Case& facts, const Way& way) {
  const FragmentFacts& fragments = way.facts();
  Finding finding;
  finding.fault = kFault;
  finding.seconds_lost = seconds_in_vain(facts);
  // Where the capture itself loses packets, it may have lost these.
  const bool filtered = may_be_filtered(facts, fragments);
  const bool believed =
      !filtered && std::ranges::all_of(facts.captures, [](const CaptureFacts& capture) {
        return capture.reported_drops == 0;
      });
  finding.severity =
      believed && finding.seconds_lost >= kMaterialSeconds ? Severity::fault : Severity::suspect;
  finding.confidence = 0.8 + 0.15 * how_far(static_cast<double>(fragments.incomplete), 6, 20);
  finding.claim =
      fmt::format("of {} fragmented packets from {} to {} pieces arrive here and none whole",
                  fragments.incomplete, to_string(way.from()), to_string(way.to()));
  finding.evidence.push_back(
      shown_by(fmt::format("{} fragments of {} packets; the others never came", fragments.fragments,
                           fragments.incomplete),
               fragments.incomplete_frames,
               {{"fragments", static_cast<double>(fragments.fragments)},
                {"incomplete_datagrams", static_cast<double>(fragments.incomplete)}}));
  if (filtered) {
    finding.evidence.push_back(shown_by(
        "only first pieces are here, and nothing without ports: a capture filter by ports would "
        "leave out the same",
        {}, {{"first_only_datagrams", static_cast<double>(fragments.first_only)}}));
  }
  finding.refuted_by = "one fragmented packet that arrives whole";
  finding.after_fix = {std::nullopt, "cannot be told: nothing of this size ever arrived"};
  finding.wireshark_filter = "ip.flags.mf == 1 || ip.frag_offset > 0 || ipv6.fraghdr";
  finding.next_capture = fmt::format("on {}: tcpdump -ni DEV -s 128 -w fragments.pcap 'host {}'",
                                     to_string(way.from()), to_string(way.to()));
  return finding;
}

void judge_pieces(const Case& facts, const Way& way, Findings& findings) {
  if (!pieces_arrived(facts, way)) {
    findings.list.push_back(describe_pieces(facts, way));
    return;
  }
  silent(findings, kFault,
         fmt::format("of {} fragmented packets from {} pieces are missing here, but {} "
                     "acknowledged bytes that are not in the capture: they arrived",
                     way.facts().incomplete, to_string(way.from()), to_string(way.to())));
}

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
      if (never_whole(fragments)) {
        judge_pieces(facts, way, findings);
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
