// SPDX-License-Identifier: Apache-2.0
// Faults of the family "integrity": bytes that change, or checksums that lie.
#include "facts/catalogue/families.h"

namespace slowpath::catalogue {
namespace {

using enum Platform;
using enum Role;

constexpr RemedyStep kTxCsumOffloadBroken[] = {
    change(
        linux, sender, "ethtool -K DEV tx off",
        "ethtool -K DEV tx on, then ethtool -K DEV tso on, because tso goes off together with tx",
        "ethtool(8), -K tx"),
    change(windows, sender, "Disable-NetAdapterChecksumOffload -Name NIC",
           "Enable-NetAdapterChecksumOffload -Name NIC",
           "Microsoft Learn: Disable-NetAdapterChecksumOffload"),
    unsure(solaris, sender, "Add the line set ip:dohwcksum=0 to /etc/system and restart",
           "remove the line from /etc/system and restart",
           "Oracle Solaris Tunable Parameters Reference"),
    unsure(esxi, sender,
           "Give the machine another type of virtual NIC, or another version of its driver",
           "change back to the type and version noted before", "VMware KB 1001805"),
};

constexpr RemedyStep kRxCsumSkipped[] = {
    change(linux, receiver, "ethtool -K DEV rx off, so that the CPU verifies every checksum",
           "ethtool -K DEV rx on", "ethtool(8), -K rx"),
    change(linux, receiver,
           "Install a kernel that has the veth checksum fix (4.4.2 or later) and restart into it",
           "restart into the kernel used before",
           "Linux commit ce8c839b74e3 (veth: don't modify ip_summed)"),
    change(windows, receiver, "Disable-NetAdapterChecksumOffload -Name NIC -TcpIPv4",
           "Enable-NetAdapterChecksumOffload -Name NIC -TcpIPv4",
           "Microsoft Learn: Disable-NetAdapterChecksumOffload"),
    unsure(solaris, receiver, "Add the line set ip:dohwcksum=0 to /etc/system and restart",
           "remove the line from /etc/system and restart",
           "Oracle Solaris Tunable Parameters Reference"),
};

constexpr RemedyStep kCsumBadOnArrival[] = {
    look(linux, receiver,
         "ethtool -S DEV | grep -iE 'crc|fcs|symbol|align': rising errors mean that the last link "
         "does the damage",
         "ethtool(8), -S"),
    change(any, path,
           "Replace the cable, optic or NIC at the first hop after which checksums are bad, one at "
           "a time",
           "put the old part back", "IEEE 802.3; vendor manual"),
    change(linux, receiver,
           "ethtool -K DEV rx-all on, so that a capture shows the frames damaged on the last link "
           "as well",
           "ethtool -K DEV rx-all off", "ethtool(8), -K rx-all"),
    look(esxi, receiver,
         "esxcli network nic stats get -n vmnicX: receive CRC errors mean that the physical link "
         "does the damage",
         "VMware: esxcli network reference"),
    look(cloud, path,
         "Open a ticket with the provider, with captures before and after the hop that does the "
         "damage",
         "Stone and Partridge, SIGCOMM 2000"),
};

constexpr RemedyStep kPayloadAltered[] = {
    look(any, path,
         "Capture at each hop and compare the hash of the same byte range: the first hop where it "
         "changes is the culprit",
         "RFC 9293 section 3.1; Stone and Partridge, SIGCOMM 2000"),
    change(
        linux, sender,
        "ethtool -K DEV tx off, so that the checksum is computed before the bytes cross the bus",
        "ethtool -K DEV tx on, then ethtool -K DEV tso on, because tso goes off together with tx",
        "ethtool(8), -K tx"),
    change(
        linux, receiver,
        "ethtool -K DEV rx off, so that the checksum is verified after the bytes crossed the bus",
        "ethtool -K DEV rx on", "ethtool(8), -K rx"),
    change(any, both_ends,
           "Carry the data over TLS or SSH, whose authentication detects every altered byte",
           "go back to the plain protocol", "RFC 8446 section 5.2"),
    change(windows, both_ends, "Disable-NetAdapterChecksumOffload -Name NIC, on one host at a time",
           "Enable-NetAdapterChecksumOffload -Name NIC",
           "Microsoft Learn: Disable-NetAdapterChecksumOffload"),
    unsure(esxi, both_ends, "Give the machine another type of virtual NIC",
           "change back to the type noted before", "VMware KB 1001805"),
    reprogram(cloud, both_ends, "Compare an end-to-end hash of the data after every transfer",
              "Stone and Partridge, SIGCOMM 2000"),
};

constexpr RemedyStep kRetransDiffers[] = {
    change(linux, sender, "ethtool -K DEV tso off", "ethtool -K DEV tso on", "ethtool(8), -K tso"),
    look(linux, sender,
         "If the application sends with MSG_ZEROCOPY, check that it leaves each buffer alone until "
         "the kernel reports its completion",
         "kernel msg_zerocopy.rst"),
    look(linux, sender,
         "ethtool -i DEV, and compare the driver's version with its vendor's list of known faults",
         "ethtool(8), -i"),
    change(windows, sender, "Disable-NetAdapterLso -Name NIC -IPv4 -IPv6",
           "Enable-NetAdapterLso -Name NIC -IPv4 -IPv6", "Microsoft Learn: Disable-NetAdapterLso"),
    unsure(windows, sender,
           "netsh int tcp set global chimney=disabled, on releases that still have TCP Chimney",
           "netsh int tcp set global chimney=OLD, as shown before by netsh int tcp show global",
           "Microsoft Learn: netsh interface tcp"),
    unsure(solaris, sender, "ndd -set /dev/ip ip_lso_outbound 0",
           "ndd -set /dev/ip ip_lso_outbound 1", "Oracle Solaris Tunable Parameters Reference"),
    unsure(esxi, sender, "Install the current driver of the virtual NIC in the guest",
           "install the earlier driver again; note its version first",
           "VMware Tools release notes"),
};

constexpr RemedyStep kCorruptOutsideNetwork[] = {
    look(any, both_ends,
         "Hash the file on disk at both ends and after each leg of the transfer (sha256sum FILE), "
         "to see where it first differs",
         "sha256sum(1)"),
    look(linux, both_ends,
         "dmesg and smartctl -a DISK: look for I/O errors, and for memory errors (EDAC)",
         "smartctl(8); kernel RAS documentation"),
    look(any, both_ends,
         "Check that the application transfers in binary mode, checks the result of every write, "
         "and is not rewritten by a virus scanner",
         "RFC 959 section 3.1.1"),
};

constexpr RemedyStep kFragmentMixup[] = {
    change(linux, sender,
           "sysctl -w net.ipv4.ip_no_pmtu_disc=0, so that TCP sends with DF and is not fragmented "
           "on the way",
           "sysctl -w net.ipv4.ip_no_pmtu_disc=OLD; note the old value first with `sysctl "
           "net.ipv4.ip_no_pmtu_disc`",
           "kernel ip-sysctl.rst; RFC 4963 section 5"),
    change(linux, receiver,
           "sysctl -w net.ipv4.ipfrag_time=NEW, with NEW shorter than the time in which the IP ID "
           "wraps",
           "sysctl -w net.ipv4.ipfrag_time=OLD; note the old value first with `sysctl "
           "net.ipv4.ipfrag_time`",
           "kernel ip-sysctl.rst; RFC 4963"),
    change(linux, gateway,
           "ip link set dev TUNNEL mtu NEW, small enough that its packets need no fragments",
           "ip link set dev TUNNEL mtu OLD; note the old value first with `ip link show TUNNEL`",
           "ip-link(8); RFC 4459"),
    unsure(cloud, gateway,
           "Lower the MTU of the tunnel in the gateway's configuration until its packets need no "
           "fragments",
           "set the MTU noted before", "RFC 4459"),
};

constexpr Fault kFaults[] = {
    {.id = "tx-csum-offload-broken",
     .name = "Sender NIC emits wrong checksums",
     .family = Family::integrity,
     .specialises = "csum-bad-on-arrival",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender =
         "Everything looks normal, with partial checksums: a sender's capture cannot decide.",
     .at_receiver = "The TCP checksum is bad on arrival for almost all segments, or for one class "
                    "of length (very short, or odd). The same bytes are resent and are bad again, "
                    "so that the connection never progresses.",
     .at_midpath = "The checksum is bad already at the first hop.",
     .at_host = "tx-checksumming is on at the sender; TcpInCsumErrors or rx_csum_offload_errors "
                "rise at the receiver.",
     .active = "It fails with transmit checksum offload on and works with it off.",
     .told_apart_by = "Partial checksums on virtual links (`nf-partial-csum`: the value is the "
                      "folded pseudo-header sum) are not bad. With damage on the way "
                      "(`csum-bad-on-arrival`) the retransmission arrives good.",
     .minimum_evidence = "A capture outside the sender, or the receiver's counters and an A/B run.",
     .remedies = kTxCsumOffloadBroken,
     .references = "raspberrypi/linux#2965, #1832; brho/akaros#23"},
    {.id = "rx-csum-skipped",
     .name = "Receiver accepts damaged segments (checksum verification bypassed)",
     .family = Family::integrity,
     .specialises = "",
     .proved_by = ProvedBy::host_facts,
     .max_severity = Severity::fault,
     .at_sender = "The data are as intended.",
     .at_receiver = "Segments whose checksum does not verify are acknowledged and delivered; the "
                    "application's hash differs.",
     .at_midpath = "The damaged frame is seen, with a bad checksum.",
     .at_host = "rx-checksumming is on, with a veth pair, tunnel or overlay in the path, or a "
                "kernel older than 4.4.2.",
     .active = "Send a frame with a wrong checksum on purpose: if the application receives it, the "
               "fault is proved.",
     .told_apart_by = "If the damaged segment were dropped it would be `csum-bad-on-arrival`, "
                      "which makes a transfer slow and not corrupt.",
     .minimum_evidence =
         "A receiver's capture and the hash of what was delivered, or the injection test.",
     .remedies = kRxCsumSkipped,
     .references = "V. Pandurangan 2016, the Linux kernel's veth checksum fault"},
    {.id = "csum-bad-on-arrival",
     .name = "Bits are damaged on the way and TCP throws the segments away",
     .family = Family::integrity,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender =
         "Segments are retransmitted although no queue grows, which looks like random loss.",
     .at_receiver = "Some segments arrive with a bad checksum and their retransmission arrives "
                    "good. TcpInCsumErrors and rx_crc_errors rise.",
     .at_midpath = "The damage begins at one hop: good before it, bad after it.",
     .at_host = "CRC, FEC or symbol errors rise if a link does the damage; they stay at zero if a "
                "router's memory does it.",
     .active = "Loss grows with frame length: p = 1 - (1 - BER)^bits.",
     .told_apart_by = "With `random-loss` no bad checksum is seen at the receiver. Frames cut by "
                      "the snap length (`nf-snaplen`) cannot be verified and count as unknown.",
     .minimum_evidence = "At least three frames of full length with a bad checksum at the "
                         "receiver, whose retransmissions are good.",
     .remedies = kCsumBadOnArrival,
     .references = "Stone and Partridge 2000: between one packet in 1 100 and one in 32 000 fails "
                   "the TCP checksum"},
    {.id = "payload-altered-csum-good",
     .name = "Bytes change between two vantage points although every checksum verifies",
     .family = Family::integrity,
     .specialises = "",
     .proved_by = ProvedBy::two_captures,
     .max_severity = Severity::fault,
     .at_sender = "The bytes of the stream have one hash.",
     .at_receiver =
         "The same sequence range has another hash, although checksums are good at both ends.",
     .at_midpath = "The first hop where the hash of a range changes is the culprit: a proxy, an "
                   "application gateway in a NAT, an inspection device, a router's memory, or a "
                   "NIC that copies wrongly before it computes the checksum.",
     .at_host = "No error counter moves.",
     .active = "A transfer of a pattern that depends on the position shows offset, length and kind "
               "of the damage: cleared cache lines, swapped bytes, a shifted or repeated block.",
     .told_apart_by =
         "Legitimate rewriting by a proxy or gateway changes lengths or headers coherently, and "
         "encryption offload ends the stream. Make sure that both captures show the same "
         "connection: compare addresses, ports and initial sequence numbers.",
     .minimum_evidence =
         "Two captures that cover the same range, or one capture and the known plain data.",
     .remedies = kPayloadAltered,
     .references = "Stone and Partridge 2000: undetected in one packet of 16 million to 10 "
                   "billion; esnet/iperf#157, #1574"},
    {.id = "retrans-differs",
     .name =
         "Original and retransmitted copy of the same sequence range do not contain the same bytes",
     .family = Family::integrity,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "Two copies of one range carry different payload.",
     .at_receiver = "Whichever copy arrives first wins, so that the corruption comes and goes.",
     .at_midpath = "The same two different copies are seen.",
     .at_host = "A fault of driver, large send or TCP offload engine; an application that reuses a "
                "zero-copy buffer before its data are acknowledged; or a transparent proxy.",
     .active = "A zero-copy sender that reuses its buffers reproduces it.",
     .told_apart_by = "A retransmission with other segment boundaries is normal: only the bytes of "
                      "the overlap are compared. The one garbage byte of keep-alives and window "
                      "probes (`nf-keepalive`) does not count.",
     .minimum_evidence = "One capture with both copies at full snap length.",
     .remedies = kRetransDiffers,
     .references = "Paxson 1997 (tcpanaly); RFC 9293 section 3.8"},
    {.id = "corrupt-outside-network",
     .name = "The file is already wrong before it is sent, or gets wrong after delivery",
     .family = Family::integrity,
     .specialises = "",
     .proved_by = ProvedBy::two_captures,
     .max_severity = Severity::fault,
     .at_sender = "The stream's hash equals the one at the receiver.",
     .at_receiver = "The stream's hash equals the one at the sender.",
     .at_midpath = "The stream's hash is the same here too.",
     .at_host = "Disk, memory, virus scanner, text-mode conversion or a cut write changes the data "
                "outside TCP.",
     .active = "A generated pattern is transferred without damage, a file is not.",
     .told_apart_by = "The hashes of the stream agree everywhere while those of the files do not; "
                      "with `payload-altered-csum-good` the stream itself differs. A file that "
                      "went there and back needs one test for each leg.",
     .minimum_evidence = "The stream's hash and the file's hash at both ends.",
     .remedies = kCorruptOutsideNetwork,
     .references = "Saltzer, Reed and Clark 1984, End-to-end arguments in system design"},
    {.id = "fragment-mixup",
     .name = "Fragments of different packets are glued together after IP-ID wrap",
     .family = Family::integrity,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "DF is clear, and fragments are sent at a high rate.",
     .at_receiver =
         "UDP or tunnel payload is a mixture of two packets; checksums catch most of it.",
     .at_midpath = "The same IP ID is used again within the reassembly timeout.",
     .at_host = "IpReasmFails and IpExtReasmOverlaps rise.",
     .active = "It happens once rate x timeout exceeds 65 536 packets.",
     .told_apart_by = "Only possible where DF is clear and an IP ID is used again within 30 s; "
                      "otherwise look at `fragments-dropped` or `payload-altered-csum-good`.",
     .minimum_evidence = "A capture with fragments and the reuse of their IP ID.",
     .remedies = kFragmentMixup,
     .references = "RFC 4963; RFC 8900"},
};

}  // namespace

std::span<const Fault> integrity_faults() { return kFaults; }

}  // namespace slowpath::catalogue
