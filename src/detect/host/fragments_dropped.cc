// SPDX-License-Identifier: Apache-2.0
// fragments-dropped: packets that came in pieces are not put together.
#include <array>

#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kFailed[] = {"IpReasmFails"};
constexpr std::string_view kFragments[] = {"IpReasmReqds"};
constexpr CounterRule kReassembly{
    .measure = {.events = kFailed,
                .of = kFragments,
                .least_count = 100,
                .least_share = 0.01,
                .proven_share = 0.2,
                .proven_per_s = 1},
    .claim = "packets in fragments could not be put together",
    .why =
        "a fragment was lost or came too late, or the memory for them is short; all of the "
        "packet is lost then",
    .cost = "each one is a whole packet"};

bool look_at_reassembly(const Host& host, std::vector<HostFinding>& found) {
  return judge_counters(host, kReassembly, found);
}

bool look_at_memory(const Host& host, std::vector<HostFinding>& found) {
  const std::string key = "net.ipv4.ipfrag_high_thresh";
  const auto bytes = number_of(host.facts, key);
  if (!bytes) return false;
  constexpr std::int64_t kLeast = 262144;  // kernels before 3.9; 4 MiB since
  if (*bytes >= kLeast) return true;
  HostFinding finding{.claim = "the memory for fragments is smaller than any kernel's own",
                      .value = std::to_string(*bytes),
                      .expected = "4194304",
                      .why = *bytes == 0
                                 ? "at 0 every fragment is dropped"
                                 : "a few packets in pieces fill it, and the rest is dropped",
                      .cost = "packets above the path's MTU never arrive",
                      .evidence = {shown(host.facts, key)},
                      .steps = {sysctl_step(host.facts, key, "4194304")}};
  found.push_back(std::move(finding));
  return true;
}

constexpr std::array kRules{
    HostRule{
        "reassembly-fails", std::nullopt, "nstat -az or netstat -s",
        "IpReasmFails is 100 or more and 1 % of the fragments; fault from 20 % or one a second "
        "on",
        look_at_reassembly},
    HostRule{"fragment-memory-small", Platform::linux, "sysctl -a",
             "net.ipv4.ipfrag_high_thresh is below 262144", look_at_memory},
};

}  // namespace

extern const HostFault fragments_dropped;
const HostFault fragments_dropped{"fragments-dropped", kRules};

}  // namespace slowpath::detect::host
