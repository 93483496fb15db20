// SPDX-License-Identifier: Apache-2.0
// Faults of the family "middlebox": what firewalls, NATs and proxies do to TCP.
#include "facts/catalogue/families.h"

namespace slowpath::catalogue {
namespace {

using enum Platform;
using enum Role;

constexpr RemedyStep kSackStripped[] = {
    look(linux, both_ends,
         "sysctl net.ipv4.tcp_sack: if it is 0 the host itself does not offer SACK",
         "kernel ip-sysctl.rst"),
    change(
        linux, both_ends, "sysctl -w net.ipv4.tcp_sack=1",
        "sysctl -w net.ipv4.tcp_sack=OLD; note the old value first with `sysctl net.ipv4.tcp_sack`",
        "kernel ip-sysctl.rst; RFC 2018"),
    unsure(any, gateway,
           "Let the firewall's TCP normalisation pass the options SACK-permitted (4) and SACK (5)",
           "set the option handling noted before", "the vendor's manual, TCP normalisation"),
    unsure(solaris, both_ends, "ipadm set-prop -p sack=active tcp",
           "ipadm set-prop -p sack=OLD tcp; note the old value first with `ipadm show-prop -p sack "
           "tcp`",
           "Oracle Solaris Tunable Parameters Reference"),
};

constexpr RemedyStep kSackMangled[] = {
    unsure(any, gateway,
           "Switch the randomising of sequence numbers off on the box that does it (Cisco ASA: set "
           "connection random-sequence-number disable)",
           "set connection random-sequence-number enable",
           "Cisco: ASA command reference, set connection"),
    change(linux, both_ends, "sysctl -w net.ipv4.tcp_sack=0, only until the box is repaired",
           "sysctl -w net.ipv4.tcp_sack=1", "kernel ip-sysctl.rst"),
};

constexpr RemedyStep kTsBroken[] = {
    unsure(any, gateway,
           "Let the firewall's TCP normalisation pass the timestamp option (8) on every segment",
           "set the option handling noted before",
           "the vendor's manual, TCP normalisation; RFC 7323 section 3.2"),
    change(linux, both_ends,
           "sysctl -w net.ipv4.tcp_timestamps=0, on one end, only until the box is repaired",
           "sysctl -w net.ipv4.tcp_timestamps=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_timestamps`",
           "kernel ip-sysctl.rst"),
    change(
        windows, both_ends,
        "netsh int tcp set global timestamps=disabled, on one end, only until the box is repaired",
        "netsh int tcp set global timestamps=OLD; note the old value first with `netsh int tcp "
        "show global`",
        "Microsoft Learn: netsh interface tcp"),
};

constexpr RemedyStep kEcnBlackhole[] = {
    change(linux, client,
           "sysctl -w net.ipv4.tcp_ecn_fallback=1, so that the SYN is sent again without ECN",
           "sysctl -w net.ipv4.tcp_ecn_fallback=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_ecn_fallback`",
           "kernel ip-sysctl.rst; RFC 3168 section 6.1.1.1"),
    change(
        linux, client, "sysctl -w net.ipv4.tcp_ecn=2, which accepts ECN and does not ask for it",
        "sysctl -w net.ipv4.tcp_ecn=OLD; note the old value first with `sysctl net.ipv4.tcp_ecn`",
        "kernel ip-sysctl.rst"),
    change(windows, client, "netsh int tcp set global ecncapability=disabled",
           "netsh int tcp set global ecncapability=OLD; note the old value first with `netsh int "
           "tcp show global`",
           "Microsoft Learn: netsh interface tcp"),
    unsure(
        solaris, client, "ipadm set-prop -p ecn=passive tcp",
        "ipadm set-prop -p ecn=OLD tcp; note the old value first with `ipadm show-prop -p ecn tcp`",
        "Oracle Solaris Tunable Parameters Reference"),
    unsure(any, gateway,
           "Let the box pass SYNs with ECE and CWR, and leave the ECN bits of the IP header alone",
           "set the handling noted before", "RFC 3168; RFC 8311"),
};

constexpr RemedyStep kTfoBlackhole[] = {
    change(linux, client, "sysctl -w net.ipv4.tcp_fastopen=0",
           "sysctl -w net.ipv4.tcp_fastopen=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_fastopen`",
           "kernel ip-sysctl.rst; RFC 7413 section 7"),
    change(linux, client,
           "sysctl -w net.ipv4.tcp_fastopen_blackhole_timeout_sec=3600, so that the kernel stops "
           "trying after it notices",
           "sysctl -w net.ipv4.tcp_fastopen_blackhole_timeout_sec=OLD; note the old value first "
           "with `sysctl net.ipv4.tcp_fastopen_blackhole_timeout_sec`",
           "kernel ip-sysctl.rst"),
    unsure(windows, client, "netsh int tcp set global fastopen=disabled",
           "netsh int tcp set global fastopen=OLD; note the old value first with `netsh int tcp "
           "show global`",
           "Microsoft Learn: netsh interface tcp"),
};

constexpr RemedyStep kIdleNatDrop[] = {
    reprogram(
        any, both_ends,
        "Switch SO_KEEPALIVE on in the application: the system's keep-alive times count only for "
        "sockets that ask",
        "tcp(7); socket(7)"),
    change(linux, both_ends,
           "sysctl -w net.ipv4.tcp_keepalive_time=NEW, shorter than the box's idle time",
           "sysctl -w net.ipv4.tcp_keepalive_time=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_keepalive_time`",
           "kernel ip-sysctl.rst; RFC 5382"),
    change(
        linux, gateway,
        "sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=NEW, longer than the pauses",
        "sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=OLD; note the old value "
        "first with `sysctl net.netfilter.nf_conntrack_tcp_timeout_established`",
        "kernel nf_conntrack-sysctl.rst; RFC 5382"),
    unsure(windows, both_ends,
           "Set the registry value KeepAliveTime (DWORD, ms) under "
           "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters and restart",
           "delete the value, or set the one noted before, and restart",
           "Microsoft: TCP/IP registry values"),
    unsure(solaris, both_ends, "ipadm set-prop -p _keepalive_interval=NEW tcp",
           "ipadm set-prop -p _keepalive_interval=OLD tcp; note the old value first with `ipadm "
           "show-prop -p _keepalive_interval tcp`",
           "Oracle Solaris Tunable Parameters Reference"),
    unsure(cloud, gateway, "Raise the idle timeout of the load balancer",
           "set the timeout noted before",
           "Microsoft Learn: Load Balancer TCP reset and idle timeout"),
    unsure(cloud, gateway, "Let the load balancer send a RST when it drops an idle connection",
           "switch it off again", "Microsoft Learn: Load Balancer TCP reset and idle timeout"),
};

constexpr RemedyStep kRstInjected[] = {
    look(any, both_ends,
         "Capture at both ends at once: a RST that arrives and was never sent is proof; report it "
         "to whoever runs the path",
         "RFC 5961; Weaver and others, NDSS 2009"),
    change(any, both_ends,
           "Carry the connection inside a VPN, whose packets a third party cannot reset",
           "take the VPN away again", "RFC 5961"),
    change(linux, client,
           "iptables -I INPUT -p tcp -s SERVER --sport PORT --tcp-flags RST RST -j DROP, for the "
           "length of a test only",
           "iptables -D INPUT -p tcp -s SERVER --sport PORT --tcp-flags RST RST -j DROP",
           "iptables-extensions(8), tcp"),
};

constexpr RemedyStep kConntrackInvalid[] = {
    look(linux, gateway,
         "conntrack -S, before and after: a rising count of invalid packets is the fault",
         "conntrack(8)"),
    change(linux, gateway,
           "iptables -I FORWARD -m conntrack --ctstate INVALID -j DROP, so that no packet leaves "
           "without translation",
           "iptables -D FORWARD -m conntrack --ctstate INVALID -j DROP",
           "iptables-extensions(8), conntrack; moby/libnetwork#1090"),
    change(linux, gateway, "sysctl -w net.netfilter.nf_conntrack_tcp_be_liberal=1",
           "sysctl -w net.netfilter.nf_conntrack_tcp_be_liberal=OLD; note the old value first with "
           "`sysctl net.netfilter.nf_conntrack_tcp_be_liberal`",
           "kernel nf_conntrack-sysctl.rst; kubernetes/kubernetes#117924"),
};

constexpr RemedyStep kAsymmetricFirewall[] = {
    look(linux, both_ends, "traceroute DST from both ends: do the paths pass different firewalls?",
         "traceroute(8)"),
    unsure(
        any, gateway,
        "Route both directions through the same firewall, or let the firewalls share their state",
        "set the routes noted before", "RFC 2979"),
    change(linux, gateway,
           "sysctl -w net.ipv4.conf.DEV.rp_filter=2, where the host itself drops what comes in on "
           "another device",
           "sysctl -w net.ipv4.conf.DEV.rp_filter=OLD; note the old value first with `sysctl "
           "net.ipv4.conf.DEV.rp_filter`",
           "kernel ip-sysctl.rst; RFC 3704"),
    unsure(solaris, receiver,
           "ipadm set-prop -p hostmodel=weak ipv4 (ndd ip_strict_dst_multihoming 0 on Solaris 10)",
           "ipadm set-prop -p hostmodel=OLD ipv4; note the old value first with `ipadm show-prop "
           "-p hostmodel ipv4`",
           "Oracle Solaris Tunable Parameters Reference"),
    unsure(cloud, gateway,
           "Make the user-defined routes symmetric, so that both directions use the same appliance",
           "set the routes noted before", "Microsoft Learn: virtual network traffic routing"),
};

constexpr Fault kFaults[] = {
    {.id = "sack-stripped",
     .name = "SACK permitted removed or dropped blocks",
     .family = Family::middlebox,
     .specialises = "",
     .proved_by = ProvedBy::two_captures,
     .max_severity = Severity::fault,
     .at_sender = "The SYN carries SACK-permitted and the peer's copy of it does not. Several "
                  "losses in one window are repaired one segment a round trip, or by timeout.",
     .at_receiver = "Duplicate ACKs leave without SACK blocks.",
     .at_midpath = "The option changes at one hop.",
     .at_host = "tcp_sack is 1 on both hosts.",
     .active = "The path around the box is fine.",
     .told_apart_by = "If the host itself has SACK disabled, the option is absent where the SYN "
                      "was made. With `sack-mangled` the blocks are there and wrong.",
     .minimum_evidence = "The SYN at both ends.",
     .remedies = kSackStripped,
     .references = "RFC 2018; RFC 6675; Honda and others 2011"},
    {.id = "sack-mangled",
     .name = "Sequence randomiser rewrites SEQ/ACK but not SACK edges",
     .family = Family::middlebox,
     .specialises = "rto-dominated",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "SACK blocks lie outside of what is in flight, always by the same offset. The "
                  "stack ignores them or the whole segment, and every loss costs a timeout.",
     .at_receiver = "The blocks are right.",
     .at_midpath = "The box shifts sequence numbers and leaves the SACK edges alone.",
     .at_host = "TCPSACKDiscard rises.",
     .active = "The path is fine without loss and collapses with 1 % of it.",
     .told_apart_by =
         "A DSACK block may legally lie below what is acknowledged (`spurious-retransmission`), "
         "and sequence numbers wrap. With `sack-stripped` there are no blocks.",
     .minimum_evidence =
         "SACK blocks with a constant impossible offset; two captures give the offset itself.",
     .remedies = kSackMangled,
     .references = "RFC 2018; Cisco: ASA and FWSM notes on sequence number randomisation and SACK"},
    {.id = "ts-broken",
     .name = "Timestamps stripped midway or echoed wrongly",
     .family = Family::middlebox,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "Timestamps were agreed and later segments lack them, or echo a value that was "
                  "never sent. Segments are dropped as old duplicates (PAWS).",
     .at_receiver = "The peer's timestamp jumps back.",
     .at_midpath = "The option is removed after the handshake.",
     .at_host = "PAWSEstab, PAWSOldAck, TSEcrRejected or TCPACKSkippedPAWS rise.",
     .active = "It works with timestamps off.",
     .told_apart_by = "A timestamp offset that differs from connection to connection is normal. "
                      "With `paws-nat-drop` only SYNs are dropped.",
     .minimum_evidence = "A capture of several round trips.",
     .remedies = kTsBroken,
     .references = "RFC 7323 sections 3 to 5"},
    {.id = "ecn-blackhole",
     .name = "ECN-setup SYN dropped, or CE bleached/forged",
     .family = Family::middlebox,
     .specialises = "syn-blocked",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "A SYN with ECE and CWR stays unanswered and a plain one is answered; or packets "
                  "are marked always or never.",
     .at_receiver = "",
     .at_midpath = "The ECN bits of the IP header change.",
     .at_host = "Look at InCEPkts, TCPDeliveredCE and tcp_ecn_fallback.",
     .active = "An A/B run with and without ECN.",
     .told_apart_by = "A SYN may be lost by chance (`random-loss`): repeat it five times. With "
                      "`syn-blocked` the plain SYN is not answered either.",
     .minimum_evidence = "Pairs of SYNs with and without ECN.",
     .remedies = kEcnBlackhole,
     .references = "RFC 3168 section 6.1.1.1; RFC 8311"},
    {.id = "tfo-blackhole",
     .name = "Fast Open SYN data/option dropped",
     .family = Family::middlebox,
     .specialises = "syn-blocked",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "A SYN with data or a cookie is lost and the retry without them, a second later, "
                  "works; or the data after a Fast Open handshake vanish.",
     .at_receiver = "",
     .at_midpath = "",
     .at_host = "TCPFastOpenBlackhole or TCPFastOpenActiveFail rise.",
     .active = "An A/B run with and without Fast Open.",
     .told_apart_by = "The first SYN may be lost by chance (`random-loss`). With `syn-blocked` the "
                      "retry fails too.",
     .minimum_evidence = "The series of SYNs.",
     .remedies = kTfoBlackhole,
     .references = "RFC 7413"},
    {.id = "idle-nat-drop",
     .name = "State for an idle connection expired in a NAT/firewall",
     .family = Family::middlebox,
     .specialises = "peer-gone",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "After an idle time data are resent to the end, or a RST comes at once; before "
                  "it all was fine.",
     .at_receiver = "The data never arrive.",
     .at_midpath = "The box drops them or answers with a RST.",
     .at_host = "Connection tracking or a load balancer has a short idle timeout: 240 s and 350 s "
                "are common in clouds.",
     .active = "A search over idle times finds the limit.",
     .told_apart_by = "A peer that restarted sends the RST itself, with its own TTL (`peer-gone`, "
                      "`rst-injected`). A `path-outage` ends.",
     .minimum_evidence =
         "A test of idle times, or a capture with more than 60 s of idle time before.",
     .remedies = kIdleNatDrop,
     .references = "RFC 5382 (at least 2 h 4 min)"},
    {.id = "rst-injected",
     .name = "Third party resets the connection",
     .family = Family::middlebox,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "A RST arrives whose TTL, IP ID, window or timestamps differ from the peer's "
                  "other packets, or the peer's data go on after it.",
     .at_receiver = "The peer never sent it.",
     .at_midpath = "It appears at one hop.",
     .at_host = "",
     .active = "It depends on content or port.",
     .told_apart_by = "A genuine RST fits the peer's TTL and IP ID, and the peer's capture shows "
                      "it. A RST after all data are acknowledged is a normal close "
                      "(`nf-reset-at-close`). With `conntrack-invalid` the own host sends it.",
     .minimum_evidence =
         "The peer's usual header values and those of the RST; captures at both ends are best.",
     .remedies = kRstInjected,
     .references = "RFC 5961; Weaver and others, NDSS 2009"},
    {.id = "conntrack-invalid",
     .name = "Stateful NAT mislabels legal packets INVALID and a RST follows",
     .family = Family::middlebox,
     .specialises = "",
     .proved_by = ProvedBy::host_facts,
     .max_severity = Severity::fault,
     .at_sender = "The own host sends a RST after an old or out-of-window segment passed without "
                  "translation.",
     .at_receiver = "",
     .at_midpath = "A packet is seen without translation.",
     .at_host = "The count of invalid packets of nf_conntrack rises, and tcp_be_liberal is 0.",
     .active = "A fast download from a container dies after seconds.",
     .told_apart_by = "With `rst-injected` a third party sends the RST; here it is the own stack.",
     .minimum_evidence = "A capture on the host's side of the NAT.",
     .remedies = kConntrackInvalid,
     .references = "kubernetes/kubernetes#117924, #120412; moby/libnetwork#1090; "
                   "distribution/distribution#785"},
    {.id = "asymmetric-firewall",
     .name = "Firewall sees one direction only and drops",
     .family = Family::middlebox,
     .specialises = "peer-gone",
     .proved_by = ProvedBy::two_captures,
     .max_severity = Severity::fault,
     .at_sender = "SYN and SYN-ACK pass, then data or ACKs vanish.",
     .at_receiver = "",
     .at_midpath = "Each box sees one direction only.",
     .at_host = "rp_filter is strict, and IPReversePathFilter rises.",
     .active = "Traces in the two directions show different paths.",
     .told_apart_by = "A `pmtud-blackhole` takes large packets only; here all sizes vanish.",
     .minimum_evidence = "Captures on both paths.",
     .remedies = kAsymmetricFirewall,
     .references = "RFC 2979; RFC 3704"},
};

}  // namespace

std::span<const Fault> middlebox_faults() { return kFaults; }

}  // namespace slowpath::catalogue
