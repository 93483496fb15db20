// SPDX-License-Identifier: Apache-2.0
// fragments-ooo-dropped: datagrams are thrown away when their fragments arrive in another order, as
// hardened virtual switches do. What the user sees: large datagrams fail now and then. Recognised
// by answers that depend on the order alone: in order answered, out of order not. fragments-dropped
// is total instead.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "fragments-ooo-dropped";

constexpr std::uint64_t kOutOfOrder = 3;
constexpr std::uint64_t kInOrder = 3;
constexpr double kOutOfOrderAnsweredAtMost = 0.1;
constexpr double kInOrderAnsweredAtLeast = 0.8;

struct Tally {
  std::uint64_t late = 0, late_answered = 0, in_order = 0, in_order_answered = 0;
};

Tally tally_of(const FragmentFacts& fragments) {
  return {fragments.out_of_order_answerable, fragments.out_of_order_answered,
          fragments.answerable - std::min(fragments.answerable, fragments.out_of_order_answerable),
          fragments.answered - std::min(fragments.answered, fragments.out_of_order_answered)};
}

bool order_decides(const Tally& tally) {
  return tally.late >= kOutOfOrder && tally.in_order >= kInOrder &&
         static_cast<double>(tally.late_answered) <=
             kOutOfOrderAnsweredAtMost * static_cast<double>(tally.late) &&
         static_cast<double>(tally.in_order_answered) >=
             kInOrderAnsweredAtLeast * static_cast<double>(tally.in_order);
}

Finding describe(const PathFacts& path, std::size_t index, const Tally& tally) {
  const FragmentFacts& fragments = path.fragments[index];
  const IpAddress& from = index == 0 ? path.a : path.b;
  const IpAddress& to = index == 0 ? path.b : path.a;
  Finding finding;
  finding.fault = kFault;
  finding.seconds_lost = fragments.answer_wait_s;
  finding.severity = finding.seconds_lost >= kMaterialSeconds ? Severity::fault : Severity::note;
  finding.confidence = 0.8 + 0.15 * how_far(static_cast<double>(tally.late), 3, 10);
  finding.claim = fmt::format(
      "fragmented requests from {} to {} are answered only when their fragments keep their order: "
      "{} of {} in order, {} of {} out of order",
      to_string(from), to_string(to), tally.in_order_answered, tally.in_order, tally.late_answered,
      tally.late);
  finding.evidence.push_back(
      shown_by("fragments in another order", fragments.out_of_order_frames,
               {{"out_of_order", static_cast<double>(tally.late)},
                {"out_of_order_answered", static_cast<double>(tally.late_answered)}}));
  finding.evidence.push_back(
      shown_by("in order, and answered", fragments.answered_frames,
               {{"in_order", static_cast<double>(tally.in_order)},
                {"in_order_answered", static_cast<double>(tally.in_order_answered)}}));
  finding.refuted_by = "answers to datagrams whose fragments came out of order";
  finding.after_fix = {std::nullopt, "cannot be told: datagrams have no rate of their own"};
  finding.wireshark_filter = "ip.flags.mf == 1 || ip.frag_offset > 0 || ipv6.fraghdr";
  return finding;
}

void inspect(const Case& facts, Findings& findings) {
  for (const PathFacts& path : facts.paths) {
    for (const std::size_t index : {std::size_t{0}, std::size_t{1}}) {
      const Tally tally = tally_of(path.fragments[index]);
      if (tally.late == 0) continue;
      if (order_decides(tally)) {
        findings.list.push_back(describe(path, index, tally));
        continue;
      }
      silent(
          findings, kFault,
          fmt::format("{} of {} out of order answered, {} of {} in order; {} and {} datagrams are "
                      "needed, with a clear difference",
                      tally.late_answered, tally.late, tally.in_order_answered, tally.in_order,
                      kOutOfOrder, kInOrder));
    }
  }
}

}  // namespace

extern const Detector fragments_ooo_dropped;
const Detector fragments_ooo_dropped{
    .id = kFault,
    .scope = Scope::path,
    .needs = "fragments, and requests whose answers can be recognised",
    .inspect = inspect};

}  // namespace slowpath::detect::detectors
