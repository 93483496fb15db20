// SPDX-License-Identifier: Apache-2.0
// Faults of the family "integrity".
#include "facts/catalogue/families.h"

namespace slowpath::catalogue {
namespace {

constexpr Fault kFaults[] = {
    {.id = "tx-csum-offload-broken",
     .name = "Sender NIC emits wrong checksums",
     .family = Family::integrity,
     .specialises = "csum-bad-on-arrival",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "Looks normal (partial sums) - a sender capture cannot decide",
     .at_receiver = "Bad TCP checksum on arrival for (almost) all or for a length class (<45 B, "
                    "odd length); same bytes resent, bad again -> connection never progresses",
     .at_midpath = "Bad checksum already at first hop",
     .at_host = "tx-checksumming on; receiver TcpInCsumErrors / rx_csum_offload_errors",
     .active = "Fails with tx csum on, works with off",
     .told_apart_by = "Partial-sum frames on virtual links (value == folded pseudo-header sum) are "
                      "NOT bad. In-flight corruption: retransmission arrives good",
     .minimum_evidence = "Capture outside the sender, or receiver counters + A/B",
     .remedies = {},
     .references = ""},
    {.id = "rx-csum-skipped",
     .name = "Receiver accepts damaged segments (checksum verification bypassed)",
     .family = Family::integrity,
     .specialises = "",
     .proved_by = ProvedBy::host_facts,
     .max_severity = Severity::fault,
     .at_sender = "Data as intended",
     .at_receiver = "Segments whose checksum does not verify are acked and delivered; application "
                    "hash differs",
     .at_midpath = "Damaged frame visible, checksum bad",
     .at_host = "rx-checksumming on, veth/tunnel/overlay in path, old kernel (<4.4.2 veth fix)",
     .active = "Inject a frame with a wrong checksum on purpose (tc/raw): if the application "
               "receives it, proven",
     .told_apart_by =
         "If the damaged frame were dropped it would be csum-bad-on-arrival (slow, not corrupt)",
     .minimum_evidence = "Receiver capture + end hash, or the injection test",
     .remedies = {},
     .references = ""},
    {.id = "csum-bad-on-arrival",
     .name = "Bits are damaged on the way and TCP throws the segments away",
     .family = Family::integrity,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "Retransmissions without queue growth; looks like random loss",
     .at_receiver =
         "Bad checksum on some arrivals, retransmission good; TcpInCsumErrors, rx_crc_errors",
     .at_midpath = "Damage begins at a precise hop (good upstream, bad downstream)",
     .at_host = "rx_crc_errors/FEC/symbol errors if L2 damage; clean L2 counters if a "
                "router/memory did it",
     .active = "Loss grows with frame length (p = 1-(1-BER)^bits)",
     .told_apart_by = "Random loss: no bad checksums at receiver tap. Capture artefact: "
                      "snaplen-cut frames cannot be verified - say 'unknown'",
     .minimum_evidence = ">=3 full-length bad frames at receiver with good twins",
     .remedies = {},
     .references = ""},
    {.id = "payload-altered-csum-good",
     .name = "Bytes change between two vantage points although every checksum verifies",
     .family = Family::integrity,
     .specialises = "",
     .proved_by = ProvedBy::two_captures,
     .max_severity = Severity::fault,
     .at_sender = "Stream hash H1",
     .at_receiver =
         "Stream hash H2 != H1, checksums good at both; SHA over same sequence range differs",
     .at_midpath = "First hop where range hash changes = culprit (proxy, NAT ALG, DPI, RAM of a "
                   "router, NIC DMA before checksum)",
     .at_host = "No error counter moves",
     .active = "Keyed pattern transfer (position-dependent) shows offset, length and kind of "
               "damage (zeroed cache lines, 2-byte swaps, shifted block, repeated block)",
     .told_apart_by = "Legit rewriting: ALG/proxy changes length or headers coherently; encryption "
                      "offload ends. Different capture of another connection: check 4-tuple+ISN",
     .minimum_evidence = "Two captures (or one capture + known plaintext) covering the same range",
     .remedies = {},
     .references = ""},
    {.id = "retrans-differs",
     .name =
         "Original and retransmitted copy of the same sequence range do not contain the same bytes",
     .family = Family::integrity,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "Two copies, same range, different payload hash",
     .at_receiver = "Whichever arrives first wins: nondeterministic corruption",
     .at_midpath = "Same",
     .at_host = "Driver/LSO/TOE bug, zero-copy buffer reused before ACK, transparent proxy",
     .active = "Zero-copy sender with buffer reuse reproduces it",
     .told_apart_by =
         "Re-packetised retransmission (other boundaries) is normal: compare byte by byte over the "
         "overlap only; keep-alive 1-byte garbage and zero-window probes excluded",
     .minimum_evidence = "One capture with both copies, full snaplen",
     .remedies = {},
     .references = ""},
    {.id = "corrupt-outside-network",
     .name = "The file is already wrong before it is sent, or gets wrong after delivery",
     .family = Family::integrity,
     .specialises = "",
     .proved_by = ProvedBy::two_captures,
     .max_severity = Severity::fault,
     .at_sender = "Stream hash == receiver stream hash",
     .at_receiver = "Equal",
     .at_midpath = "Equal",
     .at_host = "Disk/RAM/antivirus/text-mode conversion/truncated write",
     .active = "Pattern transfer clean, file transfer not",
     .told_apart_by = "All vantage hashes agree but file hashes do not",
     .minimum_evidence = "Stream hash at both ends + file hash at both ends",
     .remedies = {},
     .references = ""},
    {.id = "fragment-mixup",
     .name = "Fragments of different packets are glued together after IP-ID wrap",
     .family = Family::integrity,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "DF clear, fragments sent at high rate",
     .at_receiver = "UDP/tunnel payload or TCP-in-tunnel mix; checksum catches most",
     .at_midpath = "Same IP-ID within reassembly timeout",
     .at_host = "IpReasmFails, IpExtReasmOverlaps",
     .active = "Rate*timeout > 65 536 packets",
     .told_apart_by = "Only where DF=0 and IP-ID reuse interval < 30 s",
     .minimum_evidence = "Capture with fragments + ID reuse",
     .remedies = {},
     .references = ""},
};

}  // namespace

std::span<const Fault> integrity_faults() { return kFaults; }

}  // namespace slowpath::catalogue
