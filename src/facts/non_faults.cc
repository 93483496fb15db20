// SPDX-License-Identifier: Apache-2.0
// The table of what is normal, and its look-up.
#include "facts/non_faults.h"

#include <algorithm>

namespace slowpath {
namespace {

constexpr NonFault kNonFaults[] = {
    {.id = "nf-tso-superframe",
     .looks_like = "Frames above the MTU at the sender",
     .meaning = "Frames above the MTU are normal at this point: the NIC cuts them later.",
     .how_recognised =
         "They leave the host on which the capture was taken, are acknowledged within about one "
         "RTT, are k x MSS + headers long and carry partial checksums.",
     .must_not_hide = "`lso-not-segmented`: the same frames, never acknowledged at first sending."},
    {.id = "nf-gro-merged",
     .looks_like = "Frames above the MTU at a receiver or forwarder",
     .meaning =
         "Frames above the MTU are normal at this point: the host merged segments as they arrived.",
     .how_recognised = "They arrive, are k x MSS + headers long, carry PSH or a changed ACK at the "
                       "end of a merge only, and have one IP ID.",
     .must_not_hide = "`lro-on-forwarder`: merged frames that the host cannot cut again."},
    {.id = "nf-partial-csum",
     .looks_like = "Bad checksums",
     .meaning = "Partial checksums are normal at this point: the NIC, or nobody on a virtual link, "
                "completes them.",
     .how_recognised =
         "The stored value is the folded sum of the pseudo-header, with or without the length.",
     .must_not_hide = "`tx-csum-offload-broken`: checksums that are wrong on the wire as well."},
    {.id = "nf-zero-csum",
     .looks_like = "Checksum 0x0000, or the same value on every outgoing frame",
     .meaning = "Empty checksums are normal at this point: the NIC fills them in later.",
     .how_recognised = "Only outgoing frames have it, and all of them in the whole capture.",
     .must_not_hide = "`tx-csum-offload-broken`: checksums that are wrong on the wire as well."},
    {.id = "nf-ip-len-zero",
     .looks_like = "IPv4 packets of total length 0",
     .meaning = "A length of 0 is normal at this point: the packet is larger than the field can "
                "say, and the NIC cuts it later.",
     .how_recognised = "The length on the wire gives the real length (segmentation of more than 64 "
                       "KB, BIG TCP, Windows large send).",
     .must_not_hide = "Malformed packets, whose length on the wire does not fit either."},
    {.id = "nf-snaplen",
     .looks_like = "Checksums that do not verify",
     .meaning = "The capture kept only the first bytes of each frame, so that checksums and "
                "payload cannot be verified.",
     .how_recognised = "The captured length is below the length on the wire.",
     .must_not_hide = "`csum-bad-on-arrival` and `payload-altered-csum-good`: the answer is "
                      "unknown, and not that all is well."},
    {.id = "nf-capture-drop",
     .looks_like = "Lost segments",
     .meaning = "The capture itself missed packets: data that it never saw were acknowledged.",
     .how_recognised = "An ACK covers the hole and the receiver never complained; pcapng drop "
                       "counters, or tcpdump's \"dropped by kernel\".",
     .must_not_hide = "`random-loss`: holes that the receiver reports."},
    {.id = "nf-dup-capture",
     .looks_like = "Retransmissions within microseconds",
     .meaning = "The capture holds packets twice, because it was taken at two points at once; TCP "
                "saw them once.",
     .how_recognised =
         "Copies within 50 us have the same IP ID, and a TTL that differs by one or another MAC "
         "address or VLAN (the \"any\" interface, or a mirror of both directions).",
     .must_not_hide = "`duplicated-packets`: copies that the receiver answers with a DSACK."},
    {.id = "nf-clock-step",
     .looks_like = "Huge or negative gaps",
     .meaning = "The clock of the capturing host was set during the capture, so that gaps across "
                "that moment are not real.",
     .how_recognised =
         "All connections jump at once, and their timestamps go on at the usual rate.",
     .must_not_hide = "`rto-dominated`: silences that end in a retransmission."},
    {.id = "nf-out-of-order-file",
     .looks_like = "An ACK before its data",
     .meaning = "The file is not in order of time, because several queues wrote it; the packets "
                "were not reordered on the network.",
     .how_recognised = "Sorting by time, and then by cause before effect, puts it right.",
     .must_not_hide = "`reordering`: packets that overtook each other on the way."},
    {.id = "nf-missing-handshake",
     .looks_like = "A tiny receive window",
     .meaning = "The handshake was not captured, so that the scale of the windows is unknown.",
     .how_recognised = "There is no SYN; the largest flight gives a lower bound for the scale.",
     .must_not_hide = "`rwnd-limited`: a window that is small with its scale known."},
    {.id = "nf-half-flow",
     .looks_like = "Data that are never acknowledged",
     .meaning = "The capture holds one direction of the connection only, so that answers are "
                "missing from it and not from the network.",
     .how_recognised = "One direction has no packets at all, or ACKs advance over data that are "
                       "never seen (an asymmetric mirror port).",
     .must_not_hide =
         "`pmtud-blackhole`, `path-outage` and `peer-gone`: answers that are truly missing."},
    {.id = "nf-keepalive",
     .looks_like = "Retransmissions of one byte",
     .meaning = "Keep-alives and window probes resend one old byte on purpose, to ask whether the "
                "peer is there.",
     .how_recognised = "The sequence number is one below the next expected, with one byte or none.",
     .must_not_hide = "`spurious-retransmission`: data resent although they had arrived."},
    {.id = "nf-tlp",
     .looks_like = "A retransmission after a pause at the end of a burst",
     .meaning = "A tail loss probe resends the last segment to provoke an ACK, which is how TCP "
                "avoids a timeout.",
     .how_recognised = "A single retransmission about two smoothed RTTs after the last data, "
                       "without a reduction of the window.",
     .must_not_hide = "`rto-dominated`: silences that last until the timeout."},
    {.id = "nf-reset-at-close",
     .looks_like = "A connection that is reset",
     .meaning = "The connection was closed with a RST after its data had been delivered, as some "
                "programs do.",
     .how_recognised = "The RST comes after a FIN or with unread data, and all data are "
                       "acknowledged (iperf3 closes so).",
     .must_not_hide = "`rst-injected`: a RST that the peer never sent."},
    {.id = "nf-tw-reuse",
     .looks_like = "A SYN for a connection that exists already",
     .meaning = "The same addresses and ports were used again for a new connection, which the "
                "server accepted.",
     .how_recognised = "The SYN has a larger initial sequence number and a SYN-ACK follows.",
     .must_not_hide = "`timewait-syn-drop`: a reuse that the server ignores."},
    {.id = "nf-win0-in-rst",
     .looks_like = "A closed window",
     .meaning = "The window of a RST or FIN says nothing: no more data are expected.",
     .how_recognised = "The zero window stands in a segment with RST or FIN.",
     .must_not_hide = "`zero-window`: a receiver that truly stops reading."},
    {.id = "nf-observer-effect",
     .looks_like = "A fault that vanishes while one is looking",
     .meaning = "Capturing changed the settings of the interface, so that what was seen may not be "
                "what happens otherwise.",
     .how_recognised = "Promiscuous mode or offloads differ before and during the capture.",
     .must_not_hide = "Any fault: compare the settings before and during the capture."},
    {.id = "nf-rewritten",
     .looks_like = "Wrong IP or TCP checksums nearly everywhere, or lengths beyond the frame",
     .meaning = "The file was edited or anonymised: its checksums say nothing about the network.",
     .how_recognised = "Most IP header checksums are wrong, or stored frames are shorter than their "
                       "IP length and the file does not say so.",
     .must_not_hide = "`csum-bad-on-arrival`: some frames only, with good IP headers."},
    {.id = "nf-file-damage",
     .looks_like = "A wrong TCP checksum",
     .meaning = "The receiver acknowledged the segment, so it was changed in the file or by the "
                "capture, not on the network.",
     .how_recognised = "The segment is acknowledged although no other copy of it was sent.",
     .must_not_hide = "`rx-csum-skipped`: a receiver that accepts damaged segments."},
};

}  // namespace

std::span<const NonFault> all_non_faults() { return kNonFaults; }

const NonFault* find_non_fault(std::string_view id) {
  const auto* found = std::ranges::find(kNonFaults, id, &NonFault::id);
  return found == std::end(kNonFaults) ? nullptr : found;
}

}  // namespace slowpath
