// SPDX-License-Identifier: Apache-2.0
// Losses as a sender's socket counts them. Without packets neither their place nor their pattern
// can be told: silences of the timer are a fault by themselves, mere losses a suspicion.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/throughput/rules.h"
#include "facts/cpu_time.h"

namespace slowpath::detect::throughput {
namespace {

constexpr std::uint64_t kEnoughTimeouts = 3;
constexpr std::uint64_t kEnoughLosses = 20;
constexpr double kStealShare = 0.1;

Evidence resent(const Look& look) {
  return tested(fmt::format("{} of {} segments were sent again, {} timeouts",
                            look.account.retransmits, look.account.segments, look.account.timeouts),
                {{"retransmits", static_cast<double>(look.account.retransmits)},
                 {"segments", static_cast<double>(look.account.segments)},
                 {"timeouts", static_cast<double>(look.account.timeouts)}});
}

}  // namespace

void timeouts(const Look& look, std::vector<Finding>& findings) {
  if (look.judgement.limit != FlowLimit::timeouts || look.account.timeouts < kEnoughTimeouts)
    return;
  Finding finding =
      found(look, "rto-dominated", Severity::fault, 0.85,
            fmt::format("{} the transfer stood still for {} retransmission timeouts "
                        "in {} and reached {}",
                        way_of(look), look.account.timeouts, format_duration(look.flow.counted_s),
                        format_rate(look.flow.goodput_bps)));
  finding.seconds_lost =
      std::min(static_cast<double>(look.account.timeouts) * 0.2, look.account.busy_s);
  finding.evidence.push_back(resent(look));
  finding.refuted_by = "a transfer without timeouts at the same rate";
  finding.next_capture =
      "slowpath test HOST --mtu    (do some sizes never pass?), and at the sender: slowpath "
      "diagnose "
      "-i DEV --duration 10s";
  findings.push_back(std::move(finding));
}

void loss(const Look& look, std::vector<Finding>& findings) {
  if (look.judgement.limit != FlowLimit::loss || look.account.retransmits < kEnoughLosses ||
      is_checksum_loss(look))
    return;
  Finding finding =
      found(look, "random-loss", Severity::suspect, 0.5,
            fmt::format("{} {} of the segments had to be sent again, more than a queue explains: "
                        "bit errors, a policer, packets of some sizes that never pass, or a queue "
                        "too short to be seen",
                        way_of(look), format_percent(look.account.resent_share())));
  finding.evidence.push_back(resent(look));
  finding.evidence.push_back(
      tested(fmt::format("round trip {} idle, {} under load",
                         format_duration(look.test.rtt_idle_s.value_or(look.flow.rtt.min_s)),
                         format_duration(look.flow.rtt.median_s)),
             {{"rtt_loaded_s", look.flow.rtt.median_s}}));
  finding.refuted_by = "a round trip that grows before packets are lost";
  finding.next_capture =
      "slowpath test HOST --mtu --latency    (loss by size and by rate), or at the sender: "
      "slowpath "
      "diagnose -i DEV --duration 10s";
  findings.push_back(std::move(finding));
}

void steal(const Look& look, std::vector<Finding>& findings) {
  const bool sender = look.judgement.limit == FlowLimit::sender_cpu;
  if (!sender && look.judgement.limit != FlowLimit::receiver_cpu) return;
  const bool is_client = sender == look.flow.to_server;
  const TestHost& host = is_client ? look.run.client : look.run.server;
  for (const CpuFacts& cpu : host.cpus) {
    const double total = total_s(cpu);
    if (total <= 0 || cpu.steal_s / total < kStealShare) continue;
    Finding finding =
        found(look, "cpu-steal", Severity::suspect, 0.7,
              fmt::format("{} processor {} of {} had to wait for the hypervisor for {} of the time",
                          way_of(look), cpu.number,
                          is_client ? "this host" : to_string(look.test.server.address),
                          format_percent(cpu.steal_s / total)));
    finding.evidence.push_back(
        tested("its steal time over the run", {{"steal_s", cpu.steal_s}, {"total_s", total}}));
    finding.refuted_by = "the same rate while the hypervisor takes nothing";
    findings.push_back(std::move(finding));
    return;
  }
}

}  // namespace slowpath::detect::throughput
