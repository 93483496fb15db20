// SPDX-License-Identifier: Apache-2.0
// Faults of the family "segmentation": large sends that are cut wrongly, or merged and not cut
// again.
#include "facts/catalogue/families.h"

namespace slowpath::catalogue {
namespace {

using enum Platform;
using enum Role;

constexpr RemedyStep kLsoNotSegmented[] = {
    change(linux, sender, "ethtool -K DEV tso off", "ethtool -K DEV tso on", "ethtool(8), -K tso"),
    change(linux, sender,
           "ethtool -K DEV gso off, only if frames above the MTU still leave unacknowledged with "
           "tso off",
           "ethtool -K DEV gso on", "ethtool(8), -K gso; kernel segmentation-offloads.rst"),
    look(linux, sender,
         "ethtool -i DEV, and compare driver and version with the release that the NIC's or "
         "hypervisor's vendor supports for this kernel",
         "ethtool(8), -i"),
    change(windows, sender, "Disable-NetAdapterLso -Name NIC -IPv4 -IPv6",
           "Enable-NetAdapterLso -Name NIC -IPv4 -IPv6", "Microsoft Learn: Disable-NetAdapterLso"),
    unsure(solaris, sender, "ndd -set /dev/ip ip_lso_outbound 0",
           "ndd -set /dev/ip ip_lso_outbound 1", "Oracle Solaris Tunable Parameters Reference"),
    unsure(solaris, sender,
           "Install the vmxnet3s driver that the current VMware Tools ship for exactly this "
           "Solaris release",
           "install the earlier VMware Tools package again; note its version first",
           "VMware Tools release notes"),
    unsure(esxi, sender, "esxcli system settings advanced set -o /Net/UseHwTSO -i 0",
           "esxcli system settings advanced set -o /Net/UseHwTSO -i 1", "VMware KB 2055140"),
};

constexpr RemedyStep kIcmpFragneededCoalesced[] = {
    change(linux, gateway, "ethtool -K DEV lro off, on the device where the segments arrive",
           "ethtool -K DEV lro on", "ethtool(8), -K lro"),
    change(linux, gateway, "ethtool -K DEV gro off, if lro is off already", "ethtool -K DEV gro on",
           "ethtool(8), -K gro"),
    change(linux, sender, "ethtool -K DEV tso off, where the gateway cannot be changed",
           "ethtool -K DEV tso on", "ethtool(8), -K tso"),
    change(windows, sender,
           "Disable-NetAdapterLso -Name NIC -IPv4 -IPv6, where the gateway cannot be changed",
           "Enable-NetAdapterLso -Name NIC -IPv4 -IPv6", "Microsoft Learn: Disable-NetAdapterLso"),
    unsure(solaris, sender,
           "ndd -set /dev/ip ip_lso_outbound 0, where the gateway cannot be changed",
           "ndd -set /dev/ip ip_lso_outbound 1", "Oracle Solaris Tunable Parameters Reference"),
    unsure(
        esxi, gateway,
        "esxcli system settings advanced set -o /Net/Vmxnet3HwLRO -i 0, then restart the router VM",
        "esxcli system settings advanced set -o /Net/Vmxnet3HwLRO -i 1, then restart the router VM",
        "VMware KB 2055140"),
    unsure(
        esxi, gateway,
        "esxcli system settings advanced set -o /Net/Vmxnet3SwLRO -i 0, then restart the router VM",
        "esxcli system settings advanced set -o /Net/Vmxnet3SwLRO -i 1, then restart the router VM",
        "VMware KB 2055140"),
    look(cloud, gateway,
         "Do not clamp the MSS for this: two merged segments stay above the MTU whatever the MSS; "
         "look at the gateway's receive offloads",
         "vmware/open-vm-tools#166; google/gvisor#14011"),
};

constexpr RemedyStep kLroOnForwarder[] = {
    look(linux, gateway,
         "ethtool -k DEV | grep large-receive-offload, and sysctl net.ipv4.ip_forward: both on "
         "together is the fault",
         "ethtool(8), -k; kernel ip-sysctl.rst"),
    change(linux, gateway, "ethtool -K DEV lro off", "ethtool -K DEV lro on", "ethtool(8), -K lro"),
    change(windows, gateway, "Disable-NetAdapterRsc -Name NIC", "Enable-NetAdapterRsc -Name NIC",
           "Microsoft Learn: Disable-NetAdapterRsc"),
    change(windows, gateway, "Set-NetOffloadGlobalSetting -ReceiveSegmentCoalescing Disabled",
           "Set-NetOffloadGlobalSetting -ReceiveSegmentCoalescing Enabled",
           "Microsoft Learn: Set-NetOffloadGlobalSetting"),
    unsure(solaris, gateway,
           "Switch the LRO property of the NIC's driver off; dladm show-linkprop LINK lists what "
           "the driver has",
           "set the property back to the value that dladm show-linkprop LINK showed", "dladm(8)"),
    unsure(
        esxi, gateway,
        "esxcli system settings advanced set -o /Net/Vmxnet3HwLRO -i 0, then restart the router VM",
        "esxcli system settings advanced set -o /Net/Vmxnet3HwLRO -i 1, then restart the router VM",
        "VMware KB 2055140"),
    unsure(
        esxi, gateway,
        "esxcli system settings advanced set -o /Net/Vmxnet3SwLRO -i 0, then restart the router VM",
        "esxcli system settings advanced set -o /Net/Vmxnet3SwLRO -i 1, then restart the router VM",
        "VMware KB 2055140"),
};

constexpr RemedyStep kGroForwardBroken[] = {
    change(linux, gateway,
           "ethtool -K INGRESS gro off, INGRESS being the device where the segments arrive",
           "ethtool -K INGRESS gro on", "ethtool(8), -K gro"),
    change(linux, gateway, "ethtool -K INGRESS rx-gro-hw off, where the NIC itself merges",
           "ethtool -K INGRESS rx-gro-hw on", "ethtool(8), -K rx-gro-hw"),
    change(
        linux, gateway,
        "ethtool -K TUN tx-checksum-ip-generic off, where a tunnel's egress shows wrong checksums",
        "ethtool -K TUN tx-checksum-ip-generic on", "OPENAIRINTERFACE/openair-cn-cups#16"),
    change(windows, gateway, "Disable-NetAdapterRsc -Name NIC", "Enable-NetAdapterRsc -Name NIC",
           "Microsoft Learn: Disable-NetAdapterRsc"),
};

constexpr RemedyStep kLsoWrongCsumSeed[] = {
    change(linux, sender, "ethtool -K DEV tso off", "ethtool -K DEV tso on", "ethtool(8), -K tso"),
    change(windows, sender, "Disable-NetAdapterLso -Name NIC -IPv4 -IPv6",
           "Enable-NetAdapterLso -Name NIC -IPv4 -IPv6", "Microsoft Learn: Disable-NetAdapterLso"),
    unsure(solaris, sender, "ndd -set /dev/ip ip_lso_outbound 0",
           "ndd -set /dev/ip ip_lso_outbound 1", "Oracle Solaris Tunable Parameters Reference"),
    unsure(esxi, sender, "esxcli system settings advanced set -o /Net/UseHwTSO -i 0",
           "esxcli system settings advanced set -o /Net/UseHwTSO -i 1", "VMware KB 2055140"),
};

constexpr RemedyStep kOffloadsDisabled[] = {
    change(linux, sender, "ethtool -K DEV tso on", "ethtool -K DEV tso off", "ethtool(8), -K tso"),
    change(linux, sender, "ethtool -K DEV gso on", "ethtool -K DEV gso off", "ethtool(8), -K gso"),
    change(linux, receiver, "ethtool -K DEV gro on", "ethtool -K DEV gro off",
           "ethtool(8), -K gro"),
    change(windows, sender, "Enable-NetAdapterLso -Name NIC -IPv4 -IPv6",
           "Disable-NetAdapterLso -Name NIC -IPv4 -IPv6", "Microsoft Learn: Enable-NetAdapterLso"),
    change(windows, receiver, "Enable-NetAdapterRsc -Name NIC", "Disable-NetAdapterRsc -Name NIC",
           "Microsoft Learn: Enable-NetAdapterRsc"),
    unsure(solaris, sender, "ndd -set /dev/ip ip_lso_outbound 1",
           "ndd -set /dev/ip ip_lso_outbound 0", "Oracle Solaris Tunable Parameters Reference"),
    unsure(esxi, sender, "esxcli system settings advanced set -o /Net/UseHwTSO -i 1",
           "esxcli system settings advanced set -o /Net/UseHwTSO -i 0", "VMware KB 2055140"),
    unsure(cloud, both_ends,
           "Switch the provider's accelerated networking (SR-IOV) on for the machine's interface",
           "switch accelerated networking off again",
           "Microsoft Learn: Accelerated Networking overview"),
};

constexpr Fault kFaults[] = {
    {.id = "lso-not-segmented",
     .name = "Large send handed to the (virtual) NIC is never cut into MTU-size frames",
     .family = Family::segmentation,
     .specialises = "rto-dominated",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender =
         "A frame above the MTU gets neither an ACK nor a SACK. After one retransmission timeout "
         "the same sequence range is resent in pieces of one MSS, and those are acknowledged. This "
         "repeats each time the window opens, so that the transfer crawls from timeout to timeout.",
     .at_receiver = "The big range never arrives; only the pieces sent after the timeout do. The "
                    "IP ID of the first copy is missing.",
     .at_midpath = "Nothing of the big range is seen, or a frame larger than the port can carry.",
     .at_host = "tso or gso is on, often with a driver built for another release of the system. "
                "tx_errors or tx_dropped rise, or no counter at all. TCPTimeouts grows by about "
                "one for each large send.",
     .active = "Throughput is below 1 % of the line with large send on and normal at once with it "
               "off; that A/B run is the proof. Requests of a single segment are always fast.",
     .told_apart_by =
         "Normal segmentation offload (`nf-tso-superframe`) also shows frames above the MTU at the "
         "sender, but they are acknowledged within about one RTT: compare P(acknowledged | length "
         "> MTU) with P(acknowledged | length <= MTU). In a `pmtud-blackhole` frames of one MSS "
         "die too. In `random-loss` the loss does not depend on the length.",
     .minimum_evidence =
         "A sender's capture with at least three frames above the MTU, none acknowledged at first "
         "sending, and their pieces acknowledged after a timeout; or an A/B run.",
     .remedies = kLsoNotSegmented,
     .references =
         "esnet/iperf#1021, #1029; ntop/ntopng#7083; virtio-win/kvm-guest-drivers-windows#1131"},
    {.id = "icmp-fragneeded-coalesced",
     .name = "Gateway answers 'fragmentation needed' about a packet nobody on the wire ever sent",
     .family = Family::segmentation,
     .specialises = "rto-dominated",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender =
         "ICMP type 3 code 4 arrives with a next-hop MTU no smaller than any frame sent, and "
         "quotes a packet of 40 bytes (plus options) + k x MSS with k >= 2, for example 2960 = 40 "
         "+ 2 x 1460 where the MTU is 1500. Resending one segment after the timeout passes.",
     .at_receiver = "Only lone segments arrive, bursts never do; duplicate ACKs or silence follow.",
     .at_midpath = "One side of the gateway shows k adjacent frames of one MSS, the other side "
                   "none of them. The gateway sends an ICMP that quotes the merged length.",
     .at_host = "LRO or GRO is on at the forwarding NIC, or large send at the origin. IpFragFails "
                "and IcmpOutDestUnreachs rise; the kernel's drop reason is PKT_TOO_BIG.",
     .active = "The same file is fast for a client on the near side of the gateway. Bursts of one "
               "segment pass, bursts of two or more do not.",
     .told_apart_by =
         "On a link with a truly smaller MTU the quoted length is no larger than the largest frame "
         "really sent, and the MTU claimed is below that length. A forged or stale ICMP quotes a "
         "sequence number that is not in flight (`icmp-bogus-mtu`).",
     .minimum_evidence = "One such ICMP with its quoted header, and the MSS of the connection.",
     .remedies = kIcmpFragneededCoalesced,
     .references = "RFC 1191; Debian bug 754294; vmware/open-vm-tools#166; google/gvisor#14011"},
    {.id = "lro-on-forwarder",
     .name = "LRO left on while the host forwards or bridges",
     .family = Family::segmentation,
     .specialises = "rto-dominated",
     .proved_by = ProvedBy::host_facts,
     .max_severity = Severity::fault,
     .at_sender = "Frames of one MSS are lost when they leave in bursts, lone ones pass. The rate "
                  "is pinned to one or two segments per retransmission timeout.",
     .at_receiver = "Only the segments resent after a timeout arrive.",
     .at_midpath = "Frames of MTU size enter the forwarder and do not leave it. Its own capture "
                   "shows merged frames above the MTU.",
     .at_host = "ethtool -k shows large-receive-offload on while net.ipv4.ip_forward is 1 or the "
                "device is a bridge member. Linux switches LRO off by itself when forwarding is "
                "switched on; FreeBSD does not.",
     .active = "A transfer that ends on the gateway itself is fast; one through it is hundreds of "
               "times slower.",
     .told_apart_by = "Frames merged by GRO can be cut again exactly, because the segment size is "
                      "kept; those merged by LRO cannot. With LRO off and GRO on, and still "
                      "failing, it is `gro-forward-broken`.",
     .minimum_evidence = "The gateway's settings and a capture on each of its sides.",
     .remedies = kLroOnForwarder,
     .references = "VMware KB 2055140; FreeBSD bugs 219672, 252015; vmware/open-vm-tools#166"},
    {.id = "gro-forward-broken",
     .name = "GRO super-frame is dropped by a forwarding path that cannot re-segment",
     .family = Family::segmentation,
     .specialises = "rto-dominated",
     .proved_by = ProvedBy::two_captures,
     .max_severity = Severity::fault,
     .at_sender =
         "Bursts are lost and lone segments pass; recovery goes by single segments after timeouts.",
     .at_receiver = "Only lone segments arrive.",
     .at_midpath = "Merged frames (k x MSS + headers) are seen where they enter the forwarder; "
                   "where they should leave it there is nothing, or frames with wrong checksums.",
     .at_host = "GRO is on, and packets take a path outside the kernel's own forwarding: a tunnel "
                "(GTP), a user-space stack (gVisor), Open vSwitch or eBPF. Some kernels had the "
                "fault as a regression (3.2.0-67).",
     .active = "Switching GRO off on the device of entry restores the full rate.",
     .told_apart_by =
         "On a host that ends the connection merged frames are normal (`nf-gro-merged`): they "
         "appear and are acknowledged at once. With LRO on it is `lro-on-forwarder`.",
     .minimum_evidence = "Captures where packets enter and leave the forwarder, or an A/B run.",
     .remedies = kGroForwardBroken,
     .references = "OPENAIRINTERFACE/openair-cn-cups#16; google/gvisor#14011; cilium/cilium#32995"},
    {.id = "lso-wrong-csum-seed",
     .name = "Every segment cut from a large send carries a wrong TCP checksum",
     .family = Family::segmentation,
     .specialises = "csum-bad-on-arrival",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "The capture looks perfect, with partial checksums. Large sends are all "
                  "retransmitted, small ones are fine.",
     .at_receiver = "Segments from bursts arrive with bad checksums, lone segments with good ones. "
                    "TcpInCsumErrors rises and no ACK is sent.",
     .at_midpath = "Checksums are bad on the wire from the sender's NIC outward.",
     .at_host =
         "tso is on above a virtual back end (tap, netvsp). TcpInCsumErrors rises on the receiver.",
     .active = "Writes up to one MSS work; longer ones collapse to a few Mbit/s.",
     .told_apart_by =
         "With `tx-csum-offload-broken` lone segments are bad too. Damage on the wire "
         "(`csum-bad-on-arrival`) is not tied to bursts, and its error is not constant; here the "
         "difference between the bad and the right checksum is a fixed function of the length.",
     .minimum_evidence =
         "A receiver's capture with full-length frames, or the receiver's counters and an A/B run.",
     .remedies = kLsoWrongCsumSeed,
     .references = "microsoft/openvmm#3812"},
    {.id = "offloads-disabled",
     .name = "Offloads were switched off as a 'fix' and now cap the rate",
     .family = Family::segmentation,
     .specialises = "",
     .proved_by = ProvedBy::host_facts,
     .max_severity = Severity::fault,
     .at_sender =
         "Every frame is MTU-size or less on a fast host, the gaps between frames are far longer "
         "than their serialisation time, and one core is busy. The rate stays on a plateau.",
     .at_receiver =
         "An ACK leaves for every one or two frames, and one core is at 100 % in soft interrupts.",
     .at_midpath = "Normal frames of MTU size.",
     .at_host = "tso, gso or gro is off, which is not the default; ksoftirqd or the system's share "
                "is at 100 % of one core.",
     .active = "The rate grows with the number of streams and with the MTU.",
     .told_apart_by = "When the network is the limit (`congestion-self`), queue or loss grow. Here "
                      "there is no loss and no queue, and both windows have room.",
     .minimum_evidence = "The offload settings, and the load of each core during a run.",
     .remedies = kOffloadsDisabled,
     .references = "kernel segmentation-offloads.rst; ethtool(8)"},
};

}  // namespace

std::span<const Fault> segmentation_faults() { return kFaults; }

}  // namespace slowpath::catalogue
