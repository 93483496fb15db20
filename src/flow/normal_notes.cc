// SPDX-License-Identifier: Apache-2.0
#include "flow/normal_notes.h"

#include <algorithm>
#include <string>
#include <utility>

namespace slowpath::flow {
namespace {

// Larger steps back than receive queues explain are a clock that was set.
constexpr double kQueueSkew_s = 0.02;

struct Note {
  std::string_view id;
  std::uint64_t count = 0;
  Exemplars frames;

  void add(std::uint64_t n, const Exemplars& more) {
    count += n;
    for (std::size_t i = 0; i < more.kept(); ++i) note(frames, more.first[i]);
  }
  void add(FrameRef frame) {
    ++count;
    note(frames, frame);
  }
};

/// The sentence for one, and for several.
void put(CaptureFacts& capture, const Note& seen, std::string_view one, std::string_view several) {
  if (seen.count == 0) return;
  NormalNote note;
  note.id = seen.id;
  note.count = seen.count;
  note.text = std::to_string(seen.count) + " " + std::string(seen.count == 1 ? one : several);
  note.frames.assign(seen.frames.first.begin(),
                     seen.frames.first.begin() + static_cast<std::ptrdiff_t>(seen.frames.kept()));
  capture.notes.push_back(std::move(note));
}

std::uint64_t resends_of(const DirectionFacts& d, ResendClass how) {
  return d.resends[static_cast<std::size_t>(how)].packets;
}

struct Notes {
  Note superframe{"nf-tso-superframe", 0, {}}, merged{"nf-gro-merged", 0, {}},
      partial{"nf-partial-csum", 0, {}}, zero_sum{"nf-zero-csum", 0, {}},
      drops{"nf-capture-drop", 0, {}}, handshake{"nf-missing-handshake", 0, {}},
      half{"nf-half-flow", 0, {}}, keepalive{"nf-keepalive", 0, {}}, probe{"nf-tlp", 0, {}},
      reset{"nf-reset-at-close", 0, {}}, reuse{"nf-tw-reuse", 0, {}},
      bad_in_file{"nf-file-damage", 0, {}}, zero_in_reset{"nf-win0-in-rst", 0, {}};
};

void read_direction(Notes& notes, const DirectionFacts& d) {
  if (d.superframes.delivered > 0 || d.superframes.sent > d.superframes.lost_whole) {
    const bool arriving = d.vantage == Vantage::receiver || d.checksums.bad_superframes > 0;
    (arriving ? notes.merged : notes.superframe)
        .add(d.superframes.sent, d.superframes.delivered_frames);
  }
  notes.partial.add(d.checksums.partial + d.checksums.partial_no_length, {});
  // One packet in 65 536 has a sum of zero by right; an offloading host leaves it on most.
  if (d.checksums.zero * 4 > d.packets) notes.zero_sum.add(d.checksums.zero, {});
  if (d.seen) notes.drops.add(d.unseen_acked_holes, d.unseen_acked);
  notes.keepalive.add(
      resends_of(d, ResendClass::keep_alive) + resends_of(d, ResendClass::zero_window_probe),
      d.resends[static_cast<std::size_t>(ResendClass::keep_alive)].frames);
  notes.probe.add(resends_of(d, ResendClass::tail_probe),
                  d.resends[static_cast<std::size_t>(ResendClass::tail_probe)].frames);
  notes.bad_in_file.add(d.checksums.bad_but_acknowledged, d.checksums.bad_frames);
}

void read_connection(Notes& notes, const ConnectionFacts& c) {
  for (const DirectionFacts& d : c.directions) read_direction(notes, d);
  const bool one_way = !c.directions[0].seen || !c.directions[1].seen;
  std::uint64_t spoke = 0;
  for (const DirectionFacts& d : c.directions) spoke += d.data_packets + d.unseen_acked_holes;
  if (one_way && spoke > 1) notes.half.add(c.first_frame);
  if (c.handshake.is_missing()) notes.handshake.add(c.first_frame);
  if (c.reuses && c.handshake.completed) notes.reuse.add(c.first_frame);
  for (const ResetFacts& r : c.resets) {
    if (r.window == 0 && !r.answers_syn) notes.zero_in_reset.add(r.frame);
    if (!r.answers_syn && (r.after_fin || r.all_acknowledged) && r.sender_packets_after == 0)
      notes.reset.add(r.frame);
  }
}

/// What NICs and kernels leave undone at the capture point, or did before it.
void add_offload_notes(CaptureFacts& capture, const Notes& notes, const WitnessFrames& frames) {
  put(capture, notes.superframe,
      "frame holds more than one segment: the NIC cuts it after this point",
      "frames hold more than one segment: the NIC cuts them after this point");
  put(capture, notes.merged,
      "frame holds several segments: the receiving host merged them before this point",
      "frames hold several segments: the receiving host merged them before this point");
  put(capture, notes.partial, "checksum is left for the NIC to finish; it is not wrong",
      "checksums are left for the NIC to finish; they are not wrong");
  put(capture, notes.zero_sum, "checksum is 0: left for the NIC to fill in",
      "checksums are 0: left for the NIC to fill in");
  put(capture, {"nf-ip-len-zero", frames.zero_len.count, frames.zero_len},
      "packet has IP length 0: a super-frame, its length comes from the frame",
      "packets have IP length 0: super-frames, their length comes from the frame");
  const std::string cut = "stored cut to " + std::to_string(capture.snap_len) + " bytes: ";
  put(capture, {"nf-snaplen", capture.snapped_packets, {}},
      "frame was " + cut + "its payload cannot be checked",
      "frames were " + cut + "their payload cannot be checked");
}

/// What the capturing did: losses, copies, times.
void add_capturing_notes(CaptureFacts& capture, const Notes& notes, const WitnessFrames& frames) {
  put(capture, notes.drops,
      "hole was acknowledged although never captured: the capture lost packets, not the network",
      "holes were acknowledged although never captured: the capture lost packets, not the network");
  put(capture, {"nf-dup-capture", capture.tap_copies, {}},
      "packet was recorded more than once, at several taps; the copy is left out",
      "packets were recorded more than once, at several taps; the copies are left out");
  put(capture,
      {capture.largest_step_back_s > kQueueSkew_s ? "nf-clock-step" : "nf-out-of-order-file",
       frames.back.count, frames.back},
      "record is older than the one before: put back in order",
      "records are older than the one before: put back in order");
  put(capture, {"nf-clock-step", capture.clock_jumps, {}},
      "jump of the capture's clock: the hosts' own timestamps went on without it, so it is taken "
      "out",
      "jumps of the capture's clock: the hosts' own timestamps went on without them, so they are "
      "taken out");
}

/// What connections do that looks like a fault.
void add_connection_notes(CaptureFacts& capture, const Notes& notes) {
  put(capture, notes.zero_in_reset,
      "reset carries a window of 0, as resets do: nobody stopped reading",
      "resets carry a window of 0, as resets do: nobody stopped reading");
  put(capture, notes.handshake, "connection began before the capture: its window scale is unknown",
      "connections began before the capture: their window scale is unknown");
  put(capture, notes.half, "connection was captured in one direction only",
      "connections were captured in one direction only");
  put(capture, notes.keepalive, "keep-alive or window probe looks like a retransmission",
      "keep-alives or window probes look like retransmissions");
  put(capture, notes.probe, "tail probe was sent, about two round trips after the last data",
      "tail probes were sent, about two round trips after the last data");
  put(capture, notes.reset, "connection was closed by RST after all data was acknowledged",
      "connections were closed by RST after all data was acknowledged");
  put(capture, notes.reuse, "connection uses the port numbers of an earlier one",
      "connections use the port numbers of an earlier one");
}

/// What was changed in the file afterwards.
void add_editing_notes(CaptureFacts& capture, const Notes& notes) {
  put(capture, notes.bad_in_file,
      "wrong checksum on a segment that was acknowledged: changed in the file, not on the network",
      "wrong checksums on segments that were acknowledged: changed in the file, not on the "
      "network");
  if (capture.addresses_rewritten) {
    capture.notes.push_back(
        {"nf-rewritten",
         capture.tcp_packets,
         "IP header checksums are wrong almost everywhere: addresses were rewritten in the file",
         {}});
  }
  if (capture.lengths_rewritten) {
    capture.notes.push_back({"nf-rewritten",
                             capture.tcp_packets,
                             "frames are shorter than their IP length and the file does not say "
                             "so: checksums cannot be judged",
                             {}});
  }
}

}  // namespace

void add_normal_notes(CaptureFacts& capture, const Case& facts, std::uint16_t input,
                      const WitnessFrames& frames) {
  Notes notes;
  for (const ConnectionFacts& c : facts.connections) {
    if (c.first_frame.input() == input) read_connection(notes, c);
  }
  add_offload_notes(capture, notes, frames);
  add_capturing_notes(capture, notes, frames);
  add_connection_notes(capture, notes);
  add_editing_notes(capture, notes);
}

}  // namespace slowpath::flow
