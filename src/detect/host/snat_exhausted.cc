// SPDX-License-Identifier: Apache-2.0
// snat-exhausted: this gateway found no port to translate a connection to.
#include <array>

#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

// Two queries from one socket at the same moment race as well: DNS in containers does so.
constexpr std::string_view kFailed[] = {"ConntrackInsertFailed"};
constexpr CounterRule kRule{
    .measure = {.events = kFailed,
                .of = {},
                .least_count = 1000,
                .many = Severity::note,
                .proven_per_s = 10},
    .claim = "new connections could not be entered into the table",
    .why =
        "no port was free for the translation, or two packets raced for one entry (DNS of "
        "containers does)",
    .cost = "the first packet is lost: 1 s for a SYN, 5 s for a DNS query",
    .most = Severity::suspect};

bool look(const Host& host, std::vector<HostFinding>& found) {
  if (!forwards(host.facts)) return is_counted(host.facts, "ConntrackInsertFailed");
  return judge_counters(host, kRule, found);
}

constexpr std::array kRules{
    HostRule{"translation-failed", Platform::linux, "conntrack -S, sysctl -a",
             "the host forwards, and insert_failed is 1000 or more (a note); suspect from 10 a "
             "second on",
             look},
};

}  // namespace

extern const HostFault snat_exhausted;
const HostFault snat_exhausted{"snat-exhausted", kRules};

}  // namespace slowpath::detect::host
