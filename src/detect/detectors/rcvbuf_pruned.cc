// SPDX-License-Identifier: Apache-2.0
// rcvbuf-pruned: the receiver throws away data that it had already taken, for lack of memory.
// The user sees resends and timeouts on a network that loses nothing. Recognised by an ACK that
// stops right before bytes which earlier SACK blocks had reported as arrived: data behind a hole
// may be thrown away (RFC 2018 section 8), and an ACK takes all that it still has. Counters of the
// host prove it (OfoPruned, RcvPruned); a capture alone raises the suspicion and says what to read.
// Look-alikes: loss on the path (never reported as arrived), SACK blocks that a middlebox did not
// move along with the sequence numbers (sack-mangled).
#include <fmt/format.h>

#include "base/format.h"
#include "detect/loss_time.h"
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "rcvbuf-pruned";
// One may be a damaged block.
constexpr std::uint64_t kAcks = 2;

void report(const Transfer& transfer, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  Finding finding = about(kId, transfer);
  finding.seconds_lost = loss_s_of(data, data.reneged.count);
  finding.severity =
      is_material(finding.seconds_lost, transfer) ? Severity::suspect : Severity::note;
  finding.confidence = confidence_of(
      0.6 + 0.2 * how_far(static_cast<double>(data.reneged.count), kAcks, 10), transfer);
  finding.claim = fmt::format(
      "{} reported {} as arrived and lost it again {} times: its receive queue seems to be pruned "
      "for lack of memory",
      name_receiver(transfer), format_bytes(static_cast<double>(data.reneged.bytes)),
      data.reneged.count);
  finding.evidence.push_back(shown_by(
      "ACKs that stop right before bytes that SACK had reported as arrived", data.reneged.frames,
      {{"reneged", static_cast<double>(data.reneged.count)},
       {"reneged_bytes", static_cast<double>(data.reneged.bytes)}}));
  if (data.window.shrunk.count > 0) {
    finding.evidence.push_back(shown_by(
        fmt::format("its window shrank {} times", data.window.shrunk.count), data.window.shrunk));
  }
  finding.refuted_by = "OfoPruned and RcvPruned that stand still on the receiver meanwhile";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.options.sack_le");
  finding.next_capture = fmt::format(
      "on {} before and after: nstat -az | grep -E "
      "'PruneCalled|RcvPruned|OfoPruned|RcvCollapsed|BacklogDrop|RcvQDrop|MemoryPressures'",
      to_string(transfer.receiver().address));
  findings.list.push_back(std::move(finding));
}

void inspect_transfer(const Transfer& transfer, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  if (data.reneged.count == 0) return;
  if (data.reneged.count < kAcks) {
    return silent(findings, kId, transfer,
                  fmt::format("{} ACK stops before bytes reported as arrived; {} are needed",
                              data.reneged.count, kAcks));
  }
  if (data.sack_edges.impossible > 0) {
    return silent(findings, kId, transfer,
                  fmt::format("{} SACK blocks cannot be true: what they say proves nothing",
                              data.sack_edges.impossible));
  }
  report(transfer, findings);
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) inspect_transfer(transfer, findings);
}

}  // namespace

extern const Detector rcvbuf_pruned;
const Detector rcvbuf_pruned{
    .id = kId, .scope = Scope::direction, .needs = "SACK, and the ACKs", .inspect = inspect};

}  // namespace slowpath::detect::detectors
