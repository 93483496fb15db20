// SPDX-License-Identifier: Apache-2.0
// icmp-filtered: a router reports the MTU and a firewall eats the report (RFC 2979 section 3.1.1
// forbids it). What the user sees is what pmtud-blackhole shows. Recognised where the report
// passes: "fragmentation needed" about packets that were really too large, after which their sender
// goes on with the same size. At the sender itself it looks the same when the host's own firewall
// drops it.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/comparison_evidence.h"
#include "detect/loss_time.h"
#include "detect/policy.h"
#include "detect/reported_mtu.h"
#include "facts/packet_too_big.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "icmp-filtered";

// A single report may be lost, or may come after the sender's last packet.
constexpr std::uint64_t kReports = 2;

/// One below what every link carries is icmp-bogus-mtu's, and nobody need heed it.
bool reports_true_mtu(const IcmpFacts& icmp) {
  return is_packet_too_big(icmp) && icmp.next_hop_mtu >= least_mtu(icmp) &&
         icmp.next_hop_mtu < icmp.quoted_ip_len &&
         icmp.quoted_ip_len <= std::max(icmp.largest_sent_ip_len, icmp.quoted_frame_ip_len);
}

struct Reports {
  std::uint64_t count = 0;
  bool heeded = false, believable = false;
  const IcmpFacts* first = nullptr;
  Exemplars frames;
};

Reports find_reports(const Transfer& transfer) {
  Reports reports;
  for (const IcmpFacts& icmp : transfer.connection.icmp) {
    if (icmp.about != transfer.direction || !reports_true_mtu(icmp)) continue;
    ++reports.count;
    reports.heeded = reports.heeded || icmp.sender_shrank;
    reports.believable = reports.believable || may_be_believed(icmp);
    if (reports.first == nullptr) reports.first = &icmp;
    note(reports.frames, icmp.frame);
  }
  return reports;
}

Finding describe(const Transfer& transfer, const Reports& reports) {
  const DirectionFacts& data = transfer.data();
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = loss_s(data);
  finding.severity = severity_of(data.vantage != Vantage::unknown, finding.seconds_lost, transfer);
  finding.confidence =
      confidence_of(0.8 + 0.15 * how_far(static_cast<double>(reports.count), 2, 5), transfer);
  finding.claim = fmt::format(
      "{} reports an MTU of {}, and {} goes on with packets of {} bytes: the reports do not reach "
      "it",
      to_string(reports.first->from), reports.first->next_hop_mtu, name_sender(transfer),
      reports.first->quoted_ip_len);
  finding.evidence.push_back(shown_by(
      fmt::format("{}, none followed by smaller packets", counted(reports.count, "report")),
      reports.frames,
      {{"reports", static_cast<double>(reports.count)},
       {"next_hop_mtu_bytes", reports.first->next_hop_mtu}}));
  finding.evidence.push_back(shown_by(fmt::format("{} followed", counted(data.timeouts, "timeout")),
                                      data.timeout_frames,
                                      {{"timeouts", static_cast<double>(data.timeouts)}}));
  finding.refuted_by = "the reports arriving at the sender's own stack (nstat IcmpInDestUnreachs)";
  finding.wireshark_filter = stream_filter(transfer.connection, "icmp.type == 3 && icmp.code == 4");
  finding.next_capture = fmt::format("on {}: tcpdump -ni DEV -w icmp.pcap 'icmp or icmp6'",
                                     to_string(transfer.sender().address));
  return finding;
}

/// Reports that one point saw and the next one towards their receiver did not.
std::optional<Stretch> find_filtering(const Transfer& transfer) {
  if (!speaks_for_all(transfer)) return std::nullopt;
  for (const Stretch& stretch : stretches_of(transfer)) {
    const BetweenIcmp& icmp = stretch.between->icmp;
    const bool too_big = icmp.from.version == 6 ? icmp.type == 2 : icmp.type == 3 && icmp.code == 4;
    if (icmp.filtered_between >= kReports && icmp.passed == 0 && too_big &&
        icmp.mtu < icmp.quoted_ip_len)
      return stretch;
  }
  return std::nullopt;
}

Finding describe_proved(const Transfer& transfer, const Stretch& stretch) {
  const BetweenIcmp& icmp = stretch.between->icmp;
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = loss_s(transfer.data());
  finding.severity = severity_of(true, finding.seconds_lost, transfer);
  finding.confidence = confidence_of(0.97, transfer);
  finding.claim =
      fmt::format("{} reports an MTU of {}, and none of its {} reports passes from {} to {}",
                  to_string(icmp.from), icmp.mtu, icmp.filtered_between, stretch.downstream(),
                  stretch.upstream());
  add_proof(
      finding, stretch, "reports seen at the latter and never at the former", icmp.filtered_frames,
      {{"reports", static_cast<double>(icmp.filtered_between)}, {"next_hop_mtu_bytes", icmp.mtu}});
  finding.refuted_by = fmt::format("one of the reports at {}", stretch.upstream());
  finding.wireshark_filter = stream_filter(transfer.connection, "icmp.type == 3 && icmp.code == 4");
  return finding;
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : all_transfers(facts)) {
    if (const auto stretch = find_filtering(transfer)) {
      findings.list.push_back(describe_proved(transfer, *stretch));
      continue;
    }
    const Reports reports = find_reports(transfer);
    if (reports.count == 0) continue;
    if (reports.heeded) {
      silent(findings, kFault, transfer,
             fmt::format("the sender made its packets fit the reported MTU of {}",
                         reports.first->next_hop_mtu));
    } else if (!reports.believable) {
      silent(
          findings, kFault, transfer,
          fmt::format("the reports of {} quote sequence numbers that were not in flight: whether "
                      "they arrive or not, they must not be believed (RFC 5927 section 4.1)",
                      to_string(reports.first->from)));
    } else if (reports.count < kReports || transfer.data().timeouts == 0) {
      silent(findings, kFault, transfer,
             fmt::format("{} and {}; {} and 1 are needed", counted(reports.count, "report"),
                         counted(transfer.data().timeouts, "timeout"), kReports));
    } else {
      findings.list.push_back(describe(transfer, reports));
    }
  }
}

}  // namespace

extern const Detector icmp_filtered;
const Detector icmp_filtered{.id = kFault,
                             .scope = Scope::direction,
                             .needs = "a capture where the ICMP messages pass",
                             .inspect = inspect};

}  // namespace slowpath::detect::detectors
