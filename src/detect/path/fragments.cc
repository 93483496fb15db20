// SPDX-License-Identifier: Apache-2.0
// fragments-dropped and fragments-ooo-dropped by test: what is cut does not arrive although whole
// packets of the largest size do; or it arrives in order only. Echo alone cannot tell a path from a
// host that takes no large pings, so dropped fragments are a suspect without a far end that counts
// them.
#include <fmt/format.h>

#include "base/format.h"
#include "detect/path/rules.h"

namespace slowpath::detect::path {
namespace {

constexpr std::uint32_t kEnough = 5;

double share(std::uint32_t part, std::uint32_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / whole;
}

bool is_usable(const FragmentTest& test) {
  return test.unable.empty() && test.sent >= kEnough &&
         share(test.whole_arrived, test.whole_sent) >= 0.9;
}

std::string words(const FragmentTest& test) {
  return fmt::format(
      "{} of {} datagrams of {} bytes in {} fragments{} arrived, beside {} of {} in one packet",
      test.arrived, test.sent, test.ip_bytes, test.fragments,
      test.out_of_order ? ", the last one first," : "", test.whole_arrived, test.whole_sent);
}

Evidence evidence_of(const FragmentTest& test) {
  return tested(words(test),
                {{"sent", test.sent}, {"arrived", test.arrived}, {"fragments", test.fragments}});
}

/// The far end's own count, where there is one: echo needs the way back as well.
const FragmentTest* find(const PathMtuTest& mtu, Direction direction, bool out_of_order) {
  const FragmentTest* best = nullptr;
  for (const FragmentTest& test : mtu.fragments) {
    if (test.direction != direction || test.out_of_order != out_of_order || !is_usable(test))
      continue;
    if (best == nullptr || (test.by_peer && !best->by_peer)) best = &test;
  }
  return best;
}

/// Those in order that travelled as these did: echo needs both ways, the far end's count one.
const FragmentTest* counterpart(const PathMtuTest& mtu, const FragmentTest& out_of_order) {
  for (const FragmentTest& test : mtu.fragments) {
    if (test.direction == out_of_order.direction && !test.out_of_order &&
        test.by_peer == out_of_order.by_peer && is_usable(test)) {
      return &test;
    }
  }
  return nullptr;
}

void judge(const PathTestFacts& test, Direction direction, Findings& findings) {
  const FragmentTest* in_order = find(*test.mtu, direction, false);
  const FragmentTest* out_of_order = find(*test.mtu, direction, true);
  if (in_order == nullptr) return;
  const std::string way = way_of(test, direction);
  if (share(in_order->arrived, in_order->sent) <= 0.5) {
    const bool none = in_order->arrived == 0;
    const bool is_proved = none && in_order->by_peer;
    Finding finding = found("fragments-dropped", is_proved ? Severity::fault : Severity::suspect,
                            is_proved ? 0.92 : 0.6,
                            fmt::format("{} packets that are cut into fragments {}", way,
                                        none ? "do not arrive" : "mostly do not arrive"));
    finding.direction = direction;
    finding.evidence.push_back(evidence_of(*in_order));
    finding.refuted_by = "a datagram of several fragments that arrives";
    if (!test.with_peer) {
      finding.next_capture = fmt::format(
          "slowpath serve    (on {}; it counts what comes, whatever the host thinks of "
          "large pings)",
          to_string(test.peer));
    }
    findings.push_back(std::move(finding));
    return;
  }
  if (out_of_order == nullptr || share(out_of_order->arrived, out_of_order->sent) > 0.5) return;
  in_order = counterpart(*test.mtu, *out_of_order);
  if (in_order == nullptr || share(in_order->arrived, in_order->sent) < 0.9) return;
  Finding finding = found(
      "fragments-ooo-dropped", Severity::fault, out_of_order->arrived == 0 ? 0.92 : 0.8,
      fmt::format("{} fragments arrive in order, and are dropped when one overtakes another", way));
  finding.direction = direction;
  finding.evidence.push_back(evidence_of(*out_of_order));
  finding.evidence.push_back(evidence_of(*in_order));
  finding.refuted_by = "datagrams whose last fragment was sent first arriving as often as others";
  findings.push_back(std::move(finding));
}

}  // namespace

void fragments(const PathTestFacts& test, Findings& findings) {
  if (!test.mtu) return;
  judge(test, Direction::to_server, findings);
  judge(test, Direction::to_client, findings);
}

}  // namespace slowpath::detect::path
