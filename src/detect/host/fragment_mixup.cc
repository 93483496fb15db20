// SPDX-License-Identifier: Apache-2.0
// fragment-mixup: fragments of different packets overlap, as after a wrap of the IP identification.
#include <array>

#include <fmt/format.h>

#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kOverlaps[] = {"IpExtReasmOverlaps"};
constexpr std::string_view kFragments[] = {"IpReasmReqds"};
constexpr CounterRule kRule{
    .measure = {.events = kOverlaps, .of = kFragments, .least_count = 10, .least_share = 1e-4},
    .claim = "fragments of different packets overlapped",
    .why = "the 16 bits that tell packets apart wrap in seconds at high rates (RFC 4963)",
    .cost = "lost packets, and one in 65 536 that is glued together wrongly",
    .most = Severity::suspect};

bool look_at_overlaps(const Host& host, std::vector<HostFinding>& found) {
  return judge_counters(host, kRule, found);
}

bool look_at_time(const Host& host, std::vector<HostFinding>& found) {
  const std::string key = "net.ipv4.ipfrag_time";
  const auto seconds = number_of(host.facts, key);
  if (!seconds) return false;
  constexpr std::int64_t kDefault_s = 30;
  if (*seconds <= 2 * kDefault_s) return true;
  found.push_back({.severity = Severity::note,
                   .claim = fmt::format("fragments wait {} s for their rest", *seconds),
                   .value = std::to_string(*seconds),
                   .expected = "30",
                   .why =
                       "the longer one waits, the surer another packet's fragments have the same "
                       "identification (RFC 4963)",
                   .cost = fmt::format("mixed up from {:.0f} fragmented packets a second on",
                                       65536.0 / static_cast<double>(*seconds)),
                   .evidence = {shown(host.facts, key)},
                   .steps = {sysctl_step(host.facts, key, "30")}});
  return true;
}

constexpr std::array kRules{
    HostRule{"fragments-overlap", Platform::linux, "nstat -az",
             "IpExtReasmOverlaps is 10 or more and 0.01 % of the fragments", look_at_overlaps},
    HostRule{"fragments-wait-long", Platform::linux, "sysctl -a",
             "net.ipv4.ipfrag_time is above 60 (a note)", look_at_time},
};

}  // namespace

extern const HostFault fragment_mixup;
const HostFault fragment_mixup{"fragment-mixup", kRules};

}  // namespace slowpath::detect::host
