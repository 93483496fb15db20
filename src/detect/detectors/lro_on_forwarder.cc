// SPDX-License-Identifier: Apache-2.0
// lro-on-forwarder: a host that forwards or bridges merges what it receives (LRO) and cannot send
// the result on. What the user sees: transfers that end on the gateway are fast, those through it
// crawl. Packets show it as bursts that die while lone segments pass: first copies are sent in
// bursts and are lost, resends go out alone after a timeout and arrive. That proves no setting, so
// it is at most a suspect until the forwarder's own settings are known. Random loss takes resends
// as well.
#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/loss_time.h"
#include "detect/policy.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "lro-on-forwarder";

// So many timeouts make a pattern.
constexpr std::uint64_t kTimeouts = 3;
constexpr std::uint64_t kFullSizeFirstCopies = 10;
// Bursts nearly always die; lone resends nearly always pass.
constexpr double kFirstLostShare = 0.6;
constexpr double kResentDeliveredShare = 0.8;

struct Tally {
  std::uint64_t first = 0, first_lost = 0, resent = 0, resent_delivered = 0;
  Exemplars lost;
};

// Of packets with (nearly) one full segment; smaller ones end a burst and merge with nothing.
Tally full_size_tally(const Transfer& transfer) {
  Tally tally;
  const std::uint32_t full = full_ip_len(transfer);
  for (const SizeClass& size : transfer.data().sizes) {
    if (full == 0 || size.max_len < full || size.min_len > full) continue;
    tally.first += size.first_sent;
    tally.first_lost += size.first_lost;
    tally.resent += size.resent;
    tally.resent_delivered += size.resent_delivered;
    tally.lost = size.lost;
  }
  return tally;
}

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

bool bursts_die(const Tally& tally) {
  return tally.first >= kFullSizeFirstCopies &&
         share(tally.first_lost, tally.first) >= kFirstLostShare && tally.resent > 0 &&
         share(tally.resent_delivered, tally.resent) >= kResentDeliveredShare;
}

Finding describe(const Transfer& transfer, const Tally& tally) {
  const DirectionFacts& data = transfer.data();
  Finding finding = about(kFault, transfer);
  finding.severity = Severity::suspect;
  finding.seconds_lost = loss_s(data);
  finding.confidence = confidence_of(0.6, transfer);
  finding.claim = fmt::format(
      "segments sent in bursts are lost ({} of {}), the same bytes sent alone pass ({} of {}): "
      "something on the path merges segments and cannot forward the result",
      tally.first_lost, tally.first, tally.resent_delivered, tally.resent);
  finding.evidence.push_back(
      shown_by("full-size segments lost at first sending", tally.lost,
               {{"first_copies", static_cast<double>(tally.first)},
                {"first_copies_lost", static_cast<double>(tally.first_lost)}}));
  finding.evidence.push_back(
      shown_by(fmt::format("{}, {} of silence", counted(data.timeouts, "timeout"),
                           format_duration(data.timeout_s)),
               data.timeout_frames, {{"timeouts", static_cast<double>(data.timeouts)}}));
  finding.refuted_by = "ethtool -k on every forwarding host showing large-receive-offload off";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.analysis.retransmission");
  finding.next_capture = fmt::format(
      "on the forwarder: ethtool -k DEV | grep receive-offload; then on both of its sides {}",
      capture_command(transfer.connection, "forwarder.pcap"));
  return finding;
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    const DirectionFacts& data = transfer.data();
    const Tally tally = full_size_tally(transfer);
    if (!bursts_die(tally) || !is_material(loss_s(data), transfer)) continue;
    if (data.timeouts < kTimeouts) {
      silent(
          findings, kFault, transfer,
          fmt::format("{} of {} first copies were lost and resends pass, but {} timeouts are too "
                      "few for a pattern; {} are needed",
                      tally.first_lost, tally.first, data.timeouts, kTimeouts));
      continue;
    }
    findings.list.push_back(describe(transfer, tally));
  }
}

}  // namespace

extern const Detector lro_on_forwarder;
const Detector lro_on_forwarder{
    .id = kFault,
    .scope = Scope::direction,
    .needs = "10 full-size packets; for proof, the forwarder's settings",
    .inspect = inspect};

}  // namespace slowpath::detect::detectors
