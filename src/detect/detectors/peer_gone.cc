// SPDX-License-Identifier: Apache-2.0
// peer-gone: the other end stops answering for good.
// The user sees a connection that hangs until somebody gives up. Recognised by resends at doubling
// intervals up to the end, with nothing from the peer after a point (RFC 9293 section 3.8.3, RFC
// 5482). Look-alikes: the path comes back (path-outage), only long packets fail (pmtud-blackhole),
// the receiver still answers with a window of zero, the capture simply ends, a path that takes
// resends so often that a row of them is no surprise.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/policy.h"
#include "detect/silence_chance.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "peer-gone";
// The catalogue: four doublings, so five transmissions.
constexpr std::uint32_t kTransmissions = 5;
// Worth a suspicion: three transmissions, that is two timeouts.
constexpr std::uint32_t kTransmissionsToMention = 3;

const Stall* silence_at_end(const DirectionFacts& data) {
  if (data.stalls.empty()) return nullptr;
  const Stall& last = data.stalls.back();
  return !last.ended && last.owner != TimeOwner::zero_window ? &last : nullptr;
}

/// Data of its own came until late in the silence: what was under way when it went away comes
/// early.
bool peer_went_on(const DirectionFacts& reverse, const Stall& silence) {
  return reverse.last_data > silence.begin + from_seconds(silence.seconds / 2);
}

/// The unanswered packets are longer than any that ever passed: length may be the cause.
bool length_may_be_the_cause(const DirectionFacts& data, const Stall& silence) {
  return silence.smallest_unanswered_ip_len > data.largest_delivered_ip_len;
}

/// The path loses so much, while the peer still answers, that it may have taken these, too.
bool path_may_be_the_cause(const DirectionFacts& data, const Stall& silence) {
  return silences_by_chance(data, silence) >= kHardlyByChance;
}

void report(const Transfer& transfer, const Stall& silence, bool complete, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  Finding finding = about(kId, transfer);
  finding.seconds_lost = std::min(silence.seconds, duration_s(transfer.connection));
  finding.severity = complete ? Severity::fault : Severity::suspect;
  finding.confidence = confidence_of(
      complete ? 0.8 + 0.15 * how_far(silence.unanswered_sends, kTransmissions, 10) : 0.6,
      transfer);
  finding.claim = fmt::format(
      "{} stopped answering: {} transmissions in the last {} of the capture found no answer",
      name_receiver(transfer), silence.unanswered_sends, format_duration(silence.seconds));
  finding.evidence.push_back(
      shown_by(fmt::format("{} transmissions of the same range, none answered until the end",
                           silence.unanswered_sends),
               {silence.before, silence.after},
               {{"unanswered_sends", static_cast<double>(silence.unanswered_sends)},
                {"silence_s", silence.seconds}}));
  if (data.largest_delivered_ip_len > 0) {
    finding.evidence.push_back(shown_by(
        fmt::format("packets of up to {} bytes passed before; those without an answer are {} to {} "
                    "bytes long",
                    data.largest_delivered_ip_len, silence.smallest_unanswered_ip_len,
                    silence.largest_unanswered_ip_len),
        {data.largest_delivered_frame},
        {{"largest_delivered_ip_len", static_cast<double>(data.largest_delivered_ip_len)}}));
  }
  if (path_may_be_the_cause(data, silence)) {
    finding.evidence.push_back(shown_by(
        fmt::format("{} packets were lost before, while the peer still answered: the path may have "
                    "taken these, too",
                    losses_elsewhere(data)),
        {}, {{"lost_packets", static_cast<double>(losses_elsewhere(data))}}));
  }
  finding.refuted_by =
      "any later packet of the peer, or one of its own captures that shows answers";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.analysis.retransmission");
  if (!complete) finding.next_capture = capture_command(transfer.connection, "other_end.pcap");
  findings.list.push_back(std::move(finding));
}

void inspect_transfer(const Transfer& transfer, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const Stall* silence = silence_at_end(data);
  if (silence == nullptr) return;
  if (silence->unanswered_sends < kTransmissionsToMention) {
    return silent(findings, kId, transfer,
                  fmt::format("{} unanswered transmissions at the end; {} are needed",
                              silence->unanswered_sends, kTransmissions));
  }
  if (!data.acks_seen) {
    return silent(findings, kId, transfer,
                  "nothing of the receiver was captured at all: half of the connection is missing");
  }
  if (peer_went_on(transfer.reverse(), *silence)) {
    return silent(findings, kId, transfer,
                  fmt::format("{} stopped acknowledging, and went on sending: it was there",
                              name_receiver(transfer)));
  }
  const bool complete = silence->unanswered_sends >= kTransmissions &&
                        !length_may_be_the_cause(data, *silence) &&
                        !path_may_be_the_cause(data, *silence);
  report(transfer, *silence, complete, findings);
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) inspect_transfer(transfer, findings);
}

}  // namespace

extern const Detector peer_gone;
const Detector peer_gone{.id = kId,
                         .scope = Scope::connection,
                         .needs = "both directions, up to the end of the connection",
                         .inspect = inspect};

}  // namespace slowpath::detect::detectors
