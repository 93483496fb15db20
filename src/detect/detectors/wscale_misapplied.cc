// SPDX-License-Identifier: Apache-2.0
// wscale-misapplied: a middlebox half-removes window scaling or ignores it, so that the two ends
// read the same field differently (RFC 7323 section 2.2). What the user sees: a trickle from the
// first byte on, or a stall as soon as a little more than usual is on the way. Recognised by
// (1) an option that only one SYN has, while the receiver's fields fall to a small part of the
// window its SYN gave: it shifts them, and the sender does not know;
// (2) an agreed shift, while the sender keeps exactly to the field as it stands, cutting its
// segments to it: it does not shift them;
// (3) an agreed shift, and every loss where the flight passes the field as it stands: a box between
// them does not shift it (at most a suspect: a small queue can look so);
// (4) without the SYNs, a sender that cuts its segments to the field to the byte (at most a
// suspect: the window may be as small as that).
// rwnd-limited has a steady rate at window / round trip and nothing of this.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/bare_field.h"
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "wscale-misapplied";

// A window that is not scaled does not fall to an eighth between the SYN and the first ACKs: the
// smallest shift that stacks use, below 3, would hurt no more than that.
constexpr std::uint32_t kFallFactor = 8;
// So much data at least that the window would have opened again.
constexpr std::uint64_t kWindowsFull = 10;
constexpr std::uint64_t kLossesAtEdge = 3;

double waited_s(const DirectionFacts& data) {
  return data.time[TimeOwner::receive_window] + data.time[TimeOwner::zero_window] +
         data.time[TimeOwner::timeout] + data.time[TimeOwner::loss_recovery];
}

// What it cost cannot be owned precisely: the time is spent one small flight at a time.
double seconds_of(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  const double paced = data.time[TimeOwner::congestion_window] + data.time[TimeOwner::delayed_ack] +
                       data.time[TimeOwner::unknown] + data.time[TimeOwner::pacing_or_cpu] +
                       data.time[TimeOwner::application];
  return std::max(waited_s(data), std::min(data.transfer_s, waited_s(data) + paced));
}

bool was_half_removed(const Transfer& transfer) {
  const WindowFacts& window = transfer.data().window;
  const HandshakeFacts& handshake = transfer.connection.handshake;
  const SynFacts* syn = syn_of_receiver(transfer);
  if (window.knowledge != ScaleKnowledge::not_in_use || syn == nullptr) return false;
  // Only an end that had offered it can be shifting.
  if (!handshake.syn || !handshake.syn->options.has_window_scale) return false;
  return window.raw_max > 0 && std::uint32_t{window.raw_max} * kFallFactor <= syn->window &&
         transfer.data().bytes >= kWindowsFull * window.raw_max;
}

std::uint64_t losses_at_edge(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  if (data.window.knowledge != ScaleKnowledge::negotiated || data.window.shift == 0) return 0;
  const std::uint64_t edge = data.window.raw_max;
  std::uint64_t at_edge = 0;
  for (const LossEvent& loss : data.losses) {
    if (loss.flight_bytes + data.segment_size < edge) return 0;
    if (loss.flight_bytes <= edge + 2ULL * data.segment_size) ++at_edge;
  }
  const bool is_ceiling = data.flight_max_bytes <= edge + edge / 2;
  return is_ceiling && at_edge * 10 >= data.losses.size() * 9 ? at_edge : 0;
}

Finding start(const Transfer& transfer, bool complete) {
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = complete ? seconds_of(transfer) : waited_s(transfer.data());
  finding.severity = severity_of(complete, finding.seconds_lost, transfer);
  finding.confidence = confidence_of(complete ? 0.9 : 0.6, transfer);
  finding.refuted_by = "the same trickle with window scaling switched off at one end";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.window_size_value");
  finding.next_capture = fmt::format("at the other end as well: {}",
                                     capture_command(transfer.connection, "other_end.pcap"));
  return finding;
}

Finding describe_half_removed(const Transfer& transfer) {
  const WindowFacts& window = transfer.data().window;
  const SynFacts* syn = syn_of_receiver(transfer);
  Finding finding = start(transfer, true);
  finding.claim = fmt::format(
      "only one SYN carries window scaling here, yet {} shifts its windows: fields of at most {} "
      "after a first window of {}",
      name_receiver(transfer), window.raw_max, syn->window);
  finding.evidence.push_back(shown_by(
      "the client's SYN has option 3, the SYN-ACK arrives without it",
      {transfer.connection.handshake.syn->frame, transfer.connection.handshake.syn_ack->frame}));
  finding.evidence.push_back(shown_by(
      fmt::format("the window falls from {} to {} and never rises again", syn->window,
                  window.raw_max),
      window.at_edge, {{"syn_window_bytes", syn->window}, {"window_field_max", window.raw_max}}));
  return finding;
}

Finding describe_unshifted(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  Finding finding = start(transfer, true);
  finding.claim = fmt::format(
      "a shift of {} was agreed, yet {} keeps to the field as it stands: {} bytes on the way at a "
      "field of {}",
      data.window.shift, name_sender(transfer),
      std::min<std::uint64_t>(data.flight_plateau_bytes, data.flight_max_bytes),
      data.window.raw_max);
  finding.evidence.push_back(shown_by(
      fmt::format("the field is at most {}, which means {}; a segment could hold {} bytes",
                  data.window.raw_max, format_bytes(static_cast<double>(data.window.max_bytes)),
                  data.segment_size),
      {transfer.connection.handshake.syn->frame, transfer.connection.handshake.syn_ack->frame},
      {{"window_field_max", data.window.raw_max},
       {"flight_max_bytes", static_cast<double>(data.flight_max_bytes)},
       {"largest_payload_bytes", data.largest_payload}}));
  finding.evidence.push_back(
      shown_by(fmt::format("{} of {} sends stop where the field as it stands ends, {} pass it",
                           data.window.bare_stops, data.window.bare_sends, data.window.bare_beyond),
               {},
               {{"sends", static_cast<double>(data.window.bare_sends)},
                {"stops", static_cast<double>(data.window.bare_stops)}}));
  return finding;
}

Finding describe_small(const Transfer& transfer) {
  const WindowFacts& window = transfer.data().window;
  Finding finding = start(transfer, false);
  finding.claim = fmt::format(
      "{} sends no more than the window field as it stands, {} bytes: either the window of {} "
      "is as small as that, or its shift, agreed before the capture began, is not applied",
      name_sender(transfer), window.raw_max, name_receiver(transfer));
  finding.evidence.push_back(shown_by(
      fmt::format("{} of {} sends end to the byte where the field as it stands does, {} pass it",
                  window.bare_stops, window.bare_sends, window.bare_beyond),
      window.at_edge,
      {{"window_field_max", window.raw_max},
       {"sends", static_cast<double>(window.bare_sends)},
       {"stops", static_cast<double>(window.bare_stops)}}));
  finding.next_capture = capture_from_handshake(transfer.connection);
  return finding;
}

Finding describe_edge(const Transfer& transfer, std::uint64_t losses) {
  const DirectionFacts& data = transfer.data();
  Finding finding = start(transfer, false);
  finding.claim = fmt::format(
      "data is lost as soon as more than {} bytes are on the way, which is the window field "
      "without its shift of {}",
      data.window.raw_max, data.window.shift);
  Exemplars frames;
  for (const LossEvent& loss : data.losses) note(frames, loss.resend);
  finding.evidence.push_back(shown_by(
      fmt::format("{} of {} losses happened there, none below", losses, data.losses.size()), frames,
      {{"window_field_max", data.window.raw_max}}));
  return finding;
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    if (was_half_removed(transfer)) {
      findings.list.push_back(describe_half_removed(transfer));
    } else if (keeps_to_bare_field(transfer)) {
      findings.list.push_back(describe_unshifted(transfer));
    } else if (keeps_to_small_field(transfer)) {
      findings.list.push_back(describe_small(transfer));
    } else if (const std::uint64_t losses = losses_at_edge(transfer); losses >= kLossesAtEdge) {
      if (is_material(waited_s(transfer.data()), transfer)) {
        findings.list.push_back(describe_edge(transfer, losses));
      }
    } else if (losses > 0) {
      silent(findings, kFault, transfer,
             fmt::format("{} where the flight passes the unshifted field; {} are needed",
                         counted(losses, "loss"), kLossesAtEdge));
    }
  }
}

}  // namespace

extern const Detector wscale_misapplied;
const Detector wscale_misapplied{.id = kFault,
                                 .scope = Scope::direction,
                                 .needs = "both SYNs; for a suspect, sends that end with the field",
                                 .inspect = inspect};

}  // namespace slowpath::detect::detectors
