// SPDX-License-Identifier: Apache-2.0
// Faults of the family "segmentation".
#include "facts/catalogue/families.h"

namespace slowpath::catalogue {
namespace {

constexpr Fault kFaults[] = {
    {.id = "lso-not-segmented",
     .name = "Large send handed to the (virtual) NIC is never cut into MTU-size frames",
     .family = Family::segmentation,
     .specialises = "rto-dominated",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "Frame with IP length > MTU (e.g. 16 KB with MTU 9000) gets no ACK and no SACK; "
                  "after one RTO the same sequence range is resent as MSS-size pieces and those "
                  "ARE acked; repeats each time the window opens",
     .at_receiver =
         "The big range never arrives; only the post-RTO pieces do. IP-ID of first copy missing",
     .at_midpath = "Nothing of the big range, or a super-frame on a port that cannot carry it",
     .at_host = "tso/gso on, driver name+version (vmxnet3s 'Solaris 10' build on Solaris 11), "
                "tx_errors/tx_dropped or nothing; TCPTimeouts ~= number of big sends",
     .active = "Throughput < 1 % of line with LSO on, normal at once with LSO off (A/B run is the "
               "proof); single-segment requests always fast",
     .told_apart_by = "Normal TSO also shows >MTU frames at the sender, but those are acked within "
                      "~1 RTT (score: P(acked | len>MTU) against P(acked | len<=MTU)). PMTUD black "
                      "hole: MSS-size frames die too. Random loss: loss does not depend on length",
     .minimum_evidence = "Sender capture with >=3 super-frames, 0 acked first time, and their "
                         "pieces acked after RTO; or A/B active run",
     .remedies = {},
     .references = ""},
    {.id = "icmp-fragneeded-coalesced",
     .name = "Gateway answers 'fragmentation needed' about a packet nobody on the wire ever sent",
     .family = Family::segmentation,
     .specialises = "rto-dominated",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender =
         "ICMP 3/4 arrives with next-hop MTU >= the size of every frame sent, while quoted IP "
         "total length = 40(+opts) + k*MSS, k>=2. Single-segment resend after RTO passes",
     .at_receiver = "Only lone segments arrive; bursts never do; DupACKs or silence",
     .at_midpath = "LAN side shows k adjacent MSS frames; WAN side none of them; gateway emits "
                   "ICMP quoting the merged length",
     .at_host = "LRO/GRO on the forwarding NIC, LSO on the origin VM, IpFragFails and "
                "IcmpOutDestUnreachs rise, skb drop reason PKT_TOO_BIG",
     .active = "Same file is fast when client sits on LAN side of the gateway; bursts of 1 segment "
               "pass, bursts of >=2 do not",
     .told_apart_by = "True small-MTU link: quoted length <= largest frame really sent and claimed "
                      "MTU < that length. Spoofed ICMP: quoted seq not in flight",
     .minimum_evidence = "The ICMP with its quoted header + MSS of the flow (one packet is enough)",
     .remedies = {},
     .references = ""},
    {.id = "lro-on-forwarder",
     .name = "LRO left on while the host forwards or bridges",
     .family = Family::segmentation,
     .specialises = "rto-dominated",
     .proved_by = ProvedBy::host_facts,
     .max_severity = Severity::fault,
     .at_sender = "MSS frames in bursts lost, lone ones pass; rate pinned near cwnd=1..2 per RTO "
                  "(gVisor case: flat ~35 KB/s)",
     .at_receiver = "As sender's post-RTO pieces only",
     .at_midpath =
         "Ingress frames MTU-size, egress none; host's own tcpdump shows merged >MTU frames",
     .at_host = "ethtool -k: large-receive-offload on AND net.ipv4.ip_forward=1 or bridge member; "
                "Linux turns LRO off by itself, FreeBSD does not",
     .active =
         "Transfer terminating on the gateway itself is fast, transfer through it is ~500x slower",
     .told_apart_by = "GRO merges can be re-cut exactly (gso_size kept); LRO cannot. If gro on/lro "
                      "off and still failing see gro-forward-broken",
     .minimum_evidence = "Config snapshot + one capture on each side",
     .remedies = {},
     .references = ""},
    {.id = "gro-forward-broken",
     .name = "GRO super-frame is dropped by a forwarding path that cannot re-segment",
     .family = Family::segmentation,
     .specialises = "rto-dominated",
     .proved_by = ProvedBy::two_captures,
     .max_severity = Severity::fault,
     .at_sender = "Same as above; recovery by single-MSS RTOs",
     .at_receiver = "Only lone segments",
     .at_midpath = "Merged frames visible at ingress tap of the forwarder (len = k*MSS + hdr), "
                   "egress shows nothing or wrong checksums",
     .at_host = "gro on; user-space or tunnel data path (GTP, gVisor netstack, OVS, eBPF); kernel "
                "3.2.0-67 regression",
     .active = "A/B: ethtool -K ingress gro off restores full rate",
     .told_apart_by =
         "Receiver-side GRO on an END host is normal: merged frames appear but are acked at once",
     .minimum_evidence = "Forwarder capture or A/B",
     .remedies = {},
     .references = ""},
    {.id = "lso-wrong-csum-seed",
     .name = "Every segment cut from a large send carries a wrong TCP checksum",
     .family = Family::segmentation,
     .specialises = "csum-bad-on-arrival",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "Sender capture looks perfect (partial checksum); big sends are all "
                  "retransmitted, small sends fine",
     .at_receiver = "Arriving data segments of multi-segment bursts have bad checksums; "
                    "single-segment packets good; TcpInCsumErrors rises; no ACK",
     .at_midpath = "Bad checksums on the wire from the sender's NIC outward",
     .at_host = "tso on; virtual back end (tap/netvsp); nstat TcpInCsumErrors on receiver",
     .active = "1-byte..MSS writes OK, >MSS writes collapse to a few Mbit/s",
     .told_apart_by = "Broken tx-csum alone also hits single segments. Wire corruption is not tied "
                      "to burst length and the error value is not constant. Here (bad - good) "
                      "checksum difference is a constant function of length",
     .minimum_evidence = "Receiver capture with rx csum bits visible, or receiver counters + A/B",
     .remedies = {},
     .references = ""},
    {.id = "offloads-disabled",
     .name = "Offloads were switched off as a 'fix' and now cap the rate",
     .family = Family::segmentation,
     .specialises = "",
     .proved_by = ProvedBy::host_facts,
     .max_severity = Severity::fault,
     .at_sender = "All frames <= MTU on a fast host, inter-frame gap >> serialisation time, one "
                  "core saturated; rate plateaus",
     .at_receiver = "ACK every 1-2 frames, softirq core at 100 %",
     .at_midpath = "Normal MTU frames",
     .at_host = "tso/gso/gro off (non-default), ksoftirqd or System % at 100 on one core",
     .active = "Rate scales with number of streams and with MTU",
     .told_apart_by =
         "network-limited: queue/loss grow. Here no loss, no queue, rwnd and cwnd have room",
     .minimum_evidence = "Config + per-core CPU during a run",
     .remedies = {},
     .references = ""},
};

}  // namespace

std::span<const Fault> segmentation_faults() { return kFaults; }

}  // namespace slowpath::catalogue
