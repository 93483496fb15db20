// SPDX-License-Identifier: Apache-2.0
// Faults of the family "connection": connections that do not open, or die.
#include "facts/catalogue/families.h"

namespace slowpath::catalogue {
namespace {

using enum Platform;
using enum Role;

constexpr RemedyStep kTimewaitSynDrop[] = {
    change(linux, both_ends,
           "sysctl -w net.ipv4.tcp_timestamps=1, with which a new SYN may take over an old port",
           "sysctl -w net.ipv4.tcp_timestamps=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_timestamps`",
           "kernel ip-sysctl.rst; RFC 6191"),
    change(linux, client,
           "sysctl -w net.ipv4.ip_local_port_range='1024 65535', so that ports come back later",
           "sysctl -w net.ipv4.ip_local_port_range='OLD'; note the old values first with `sysctl "
           "net.ipv4.ip_local_port_range`",
           "kernel ip-sysctl.rst; RFC 6056"),
    change(linux, client, "sysctl -w net.ipv4.tcp_tw_reuse=1",
           "sysctl -w net.ipv4.tcp_tw_reuse=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_tw_reuse`",
           "kernel ip-sysctl.rst"),
    change(windows, client, "netsh int ipv4 set dynamicport tcp start=1025 num=64510",
           "netsh int ipv4 set dynamicport tcp start=OLD num=OLD; note the old values first with "
           "`netsh int ipv4 show dynamicport tcp`",
           "Microsoft Learn: default dynamic port range"),
    unsure(windows, server,
           "Set the registry value TcpTimedWaitDelay=30 (DWORD, s) under "
           "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters and restart",
           "delete the value, or set the one noted before, and restart",
           "Microsoft: TCP/IP registry values"),
    unsure(solaris, server, "ipadm set-prop -p _time_wait_interval=60000 tcp",
           "ipadm set-prop -p _time_wait_interval=OLD tcp; note the old value first with `ipadm "
           "show-prop -p _time_wait_interval tcp`",
           "Oracle Solaris Tunable Parameters Reference"),
    unsure(cloud, gateway,
           "Give the NAT more addresses or ports, so that it uses each one again later",
           "take them away again", "the provider's NAT gateway pages"),
};

constexpr RemedyStep kEphemeralExhausted[] = {
    look(linux, client,
         "ss -tan dst DST | awk '{print $1}' | sort | uniq -c: which state holds the ports?",
         "ss(8)"),
    reprogram(any, client, "Keep connections open and use them again (a pool)",
              "RFC 9112 section 9.3"),
    change(linux, client, "sysctl -w net.ipv4.ip_local_port_range='1024 65535'",
           "sysctl -w net.ipv4.ip_local_port_range='OLD'; note the old values first with `sysctl "
           "net.ipv4.ip_local_port_range`",
           "kernel ip-sysctl.rst; RFC 6056"),
    change(linux, client, "sysctl -w net.ipv4.tcp_tw_reuse=1",
           "sysctl -w net.ipv4.tcp_tw_reuse=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_tw_reuse`",
           "kernel ip-sysctl.rst"),
    change(windows, client, "netsh int ipv4 set dynamicport tcp start=1025 num=64510",
           "netsh int ipv4 set dynamicport tcp start=OLD num=OLD; note the old values first with "
           "`netsh int ipv4 show dynamicport tcp`",
           "Microsoft Learn: default dynamic port range"),
    unsure(solaris, client, "ipadm set-prop -p smallest_anon_port=NEW tcp, lower",
           "ipadm set-prop -p smallest_anon_port=OLD tcp; note the old value first with `ipadm "
           "show-prop -p smallest_anon_port tcp`",
           "Oracle Solaris Tunable Parameters Reference"),
};

constexpr RemedyStep kSnatExhausted[] = {
    look(linux, gateway,
         "conntrack -S, before and after: a rising insert_failed means that no port was found",
         "conntrack(8)"),
    change(linux, gateway,
           "iptables -t nat -I POSTROUTING -o DEV -j MASQUERADE --random-fully, in front of the "
           "present rule",
           "iptables -t nat -D POSTROUTING -o DEV -j MASQUERADE --random-fully",
           "iptables-extensions(8), MASQUERADE"),
    unsure(linux, gateway,
           "Give the gateway more public addresses, with SNAT --to-source FIRST-LAST",
           "put the rule back that iptables-save printed before", "iptables-extensions(8), SNAT"),
    reprogram(any, client, "Keep connections open and use them again (a pool)",
              "RFC 9112 section 9.3"),
    unsure(
        cloud, gateway,
        "Put a NAT gateway with its own addresses in front of the machines, or add addresses to it",
        "take it away again", "Microsoft Learn: SNAT for outbound connections"),
};

constexpr RemedyStep kConntrackFull[] = {
    look(linux, gateway,
         "sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max, and dmesg | grep "
         "conntrack",
         "kernel nf_conntrack-sysctl.rst"),
    change(linux, gateway, "sysctl -w net.netfilter.nf_conntrack_max=NEW",
           "sysctl -w net.netfilter.nf_conntrack_max=OLD; note the old value first with `sysctl "
           "net.netfilter.nf_conntrack_max`",
           "kernel nf_conntrack-sysctl.rst"),
    change(linux, gateway,
           "sysctl -w net.netfilter.nf_conntrack_buckets=NEW, a quarter to all of the maximum",
           "sysctl -w net.netfilter.nf_conntrack_buckets=OLD; note the old value first with "
           "`sysctl net.netfilter.nf_conntrack_buckets`",
           "kernel nf_conntrack-sysctl.rst"),
    change(linux, gateway,
           "sysctl -w net.netfilter.nf_conntrack_tcp_timeout_time_wait=NEW, shorter",
           "sysctl -w net.netfilter.nf_conntrack_tcp_timeout_time_wait=OLD; note the old value "
           "first with `sysctl net.netfilter.nf_conntrack_tcp_timeout_time_wait`",
           "kernel nf_conntrack-sysctl.rst"),
    unsure(linux, gateway,
           "iptables -t raw -I PREROUTING -p tcp --dport PORT -j CT --notrack, for traffic that "
           "needs no state",
           "iptables -t raw -D PREROUTING -p tcp --dport PORT -j CT --notrack",
           "iptables-extensions(8), CT"),
    unsure(cloud, gateway, "Take a larger size of the network appliance",
           "go back to the size noted before", "the vendor's table of sizes"),
};

constexpr RemedyStep kAcceptQueueOverflow[] = {
    look(linux, server,
         "nstat -az TcpExtListenOverflows TcpExtListenDrops, and ss -lnt: a Recv-Q above Send-Q is "
         "a full queue",
         "nstat(8); ss(8)"),
    reprogram(any, server,
              "Let the application accept faster: more accepting threads, no slow work between two "
              "accepts",
              "accept(2)"),
    change(linux, server,
           "sysctl -w net.core.somaxconn=NEW, if it is below the backlog that the application asks "
           "for; then restart the application",
           "sysctl -w net.core.somaxconn=OLD; note the old value first with `sysctl "
           "net.core.somaxconn`; then restart the application",
           "listen(2); kernel ip-sysctl.rst"),
    reprogram(any, server, "Raise the backlog that the application passes to listen()",
              "listen(2)"),
    unsure(solaris, server, "ipadm set-prop -p _conn_req_max_q=NEW tcp",
           "ipadm set-prop -p _conn_req_max_q=OLD tcp; note the old value first with `ipadm "
           "show-prop -p _conn_req_max_q tcp`",
           "Oracle Solaris Tunable Parameters Reference"),
    reprogram(windows, server,
              "Raise the backlog that the application passes to listen(), up to SOMAXCONN_HINT(N)",
              "Microsoft Learn: listen function (winsock2.h)"),
    look(cloud, server,
         "Look at the load balancer's health checks: does one machine get all connections?",
         "the provider's load balancer pages"),
};

constexpr RemedyStep kSynBacklogCookies[] = {
    look(linux, server,
         "nstat -az TcpExtSyncookiesSent TcpExtTCPReqQFullDoCookies, before and after",
         "nstat(8); kernel snmp_counter.rst"),
    change(linux, server, "sysctl -w net.ipv4.tcp_max_syn_backlog=NEW",
           "sysctl -w net.ipv4.tcp_max_syn_backlog=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_max_syn_backlog`",
           "kernel ip-sysctl.rst"),
    change(linux, server, "sysctl -w net.core.somaxconn=NEW; then restart the application",
           "sysctl -w net.core.somaxconn=OLD; note the old value first with `sysctl "
           "net.core.somaxconn`; then restart the application",
           "listen(2)"),
    change(linux, server, "sysctl -w net.ipv4.tcp_timestamps=1, so that cookies keep the options",
           "sysctl -w net.ipv4.tcp_timestamps=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_timestamps`",
           "kernel ip-sysctl.rst, tcp_syncookies"),
    unsure(windows, server,
           "Look at SynAttackProtect in the registry, on releases that have it, and set it for the "
           "load expected",
           "set the value noted before", "Microsoft: TCP/IP registry values"),
    unsure(solaris, server, "ipadm set-prop -p _conn_req_max_q0=NEW tcp",
           "ipadm set-prop -p _conn_req_max_q0=OLD tcp; note the old value first with `ipadm "
           "show-prop -p _conn_req_max_q0 tcp`",
           "Oracle Solaris Tunable Parameters Reference"),
    unsure(cloud, server,
           "Switch the provider's protection against SYN floods on, if the load is an attack",
           "switch it off again", "RFC 4987; the provider's DDoS pages"),
};

constexpr RemedyStep kPawsNatDrop[] = {
    change(linux, server,
           "sysctl -w net.ipv4.tcp_tw_recycle=0, on kernels before 4.12, which still have it",
           "sysctl -w net.ipv4.tcp_tw_recycle=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_tw_recycle`",
           "kernel ip-sysctl.rst of 4.11; RFC 7323 appendix B"),
    change(linux, client, "sysctl -w net.ipv4.tcp_timestamps=0, where the server cannot be changed",
           "sysctl -w net.ipv4.tcp_timestamps=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_timestamps`",
           "kernel ip-sysctl.rst"),
};

constexpr RemedyStep kSynBlocked[] = {
    look(linux, server,
         "ss -lnt: does anything listen on the port, and on the address that the client uses?",
         "ss(8)"),
    look(linux, server,
         "nft list ruleset (or iptables -vnL): which rule's counter rises with each SYN?",
         "nft(8); iptables(8)"),
    change(linux, server, "iptables -I INPUT -p tcp --dport PORT -j ACCEPT",
           "iptables -D INPUT -p tcp --dport PORT -j ACCEPT", "iptables-extensions(8), tcp"),
    change(windows, server,
           "New-NetFirewallRule -DisplayName slowpath-port -Direction Inbound -Protocol TCP "
           "-LocalPort PORT -Action Allow",
           "Remove-NetFirewallRule -DisplayName slowpath-port",
           "Microsoft Learn: New-NetFirewallRule"),
    unsure(solaris, server, "Add a rule to ipf or pf that passes TCP to PORT inward",
           "remove the rule and load the rules again", "ipf(5); pf.conf(7)"),
    unsure(cloud, server, "Add a rule to the security group that allows TCP to PORT inward",
           "remove the rule", "the provider's security group pages"),
};

constexpr RemedyStep kPeerGone[] = {
    look(any, receiver, "Look at the peer itself: is it up, is its interface up, did it restart?",
         "RFC 9293 section 3.8.3"),
    reprogram(any, sender,
              "Set TCP_USER_TIMEOUT on the application's socket, to learn of such an end sooner",
              "tcp(7), TCP_USER_TIMEOUT; RFC 5482"),
    change(linux, sender,
           "sysctl -w net.ipv4.tcp_keepalive_time=NEW, shorter, for applications that set "
           "SO_KEEPALIVE",
           "sysctl -w net.ipv4.tcp_keepalive_time=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_keepalive_time`",
           "kernel ip-sysctl.rst"),
};

constexpr RemedyStep kTcpAuthMismatch[] = {
    look(any, both_ends,
         "Compare the keys and key ids that the two routing daemons have for each other, and "
         "whether both use the option at all",
         "RFC 2385; RFC 5925"),
    look(linux, both_ends,
         "nstat -az TcpExtTCPMD5NotFound TcpExtTCPMD5Unexpected TcpExtTCPMD5Failure, before and "
         "after: which end refuses, and why?",
         "nstat(8); kernel snmp_counter.rst"),
};

constexpr Fault kFaults[] = {
    {.id = "timewait-syn-drop",
     .name = "SYN reuses a port still in TIME_WAIT at the server",
     .family = Family::connection,
     .specialises = "syn-blocked",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender =
         "A SYN stays unanswered at 0, 1, 3 and 7 s, or is answered by a RST or a bare ACK, and "
         "the same addresses and ports belonged to a connection closed 60 to 240 s before.",
     .at_receiver =
         "The SYN arrives, and no SYN-ACK leaves, or an ACK with an old sequence number does.",
     .at_midpath = "A NAT used a port again.",
     .at_host =
         "PAWSTimewait, TCPACKSkippedTimeWait or TWKilled rise; many sockets are in TIME_WAIT.",
     .active = "A test that opens and closes many connections.",
     .told_apart_by = "With `accept-queue-overflow` other ports fail too. A SYN that is answered "
                      "with a SYN-ACK is normal reuse (`nf-tw-reuse`).",
     .minimum_evidence = "The history of the same addresses and ports.",
     .remedies = kTimewaitSynDrop,
     .references = "RFC 6191; RFC 1337; RFC 6056"},
    {.id = "ephemeral-exhausted",
     .name = "No free local port",
     .family = Family::connection,
     .specialises = "",
     .proved_by = ProvedBy::host_facts,
     .max_severity = Severity::fault,
     .at_sender = "No SYN leaves; the application gets EADDRNOTAVAIL (10048 on Windows).",
     .at_receiver = "",
     .at_midpath = "",
     .at_host =
         "The ports in use to one destination are near the range. 28 232 ports held for 60 s allow "
         "470 new connections a second (Linux); 16 384 for 120 s allow 136 (Windows).",
     .active = "",
     .told_apart_by = "With `snat-exhausted` the SYN does leave.",
     .minimum_evidence = "The count of sockets for each destination.",
     .remedies = kEphemeralExhausted,
     .references = "RFC 6056"},
    {.id = "snat-exhausted",
     .name = "NAT gateway has no port left",
     .family = Family::connection,
     .specialises = "syn-blocked",
     .proved_by = ProvedBy::two_captures,
     .max_severity = Severity::fault,
     .at_sender = "A SYN leaves and gets no answer, only to the same remote address and port, "
                  "while many connections open and close.",
     .at_receiver = "The SYN never arrives.",
     .at_midpath = "The SYN is seen before the NAT and not after it.",
     .at_host = "The cloud's SNAT metrics, or insert_failed of the connection tracking, rise.",
     .active = "A new destination address works at once.",
     .told_apart_by = "If the server is down (`syn-blocked`), it fails for all sources. With "
                      "`ephemeral-exhausted` no SYN leaves.",
     .minimum_evidence =
         "Captures before and after the NAT, or a test with many connections to two destinations.",
     .remedies = kSnatExhausted,
     .references =
         "microsoft/azure-container-apps#1422; Microsoft Learn: SNAT for outbound connections"},
    {.id = "conntrack-full",
     .name = "Connection-tracking table full",
     .family = Family::connection,
     .specialises = "syn-blocked",
     .proved_by = ProvedBy::host_facts,
     .max_severity = Severity::fault,
     .at_sender = "New SYNs to any destination are lost while existing connections are fine; later "
                  "ones succeed at random.",
     .at_receiver = "",
     .at_midpath = "The SYN is dropped in the box.",
     .at_host = "The kernel's log says \"table full, dropping packet\"; nf_conntrack_count equals "
                "its maximum.",
     .active = "",
     .told_apart_by = "If packets of existing connections are lost too, it is the link "
                      "(`random-loss`, `path-outage`).",
     .minimum_evidence = "The counter of the box.",
     .remedies = kConntrackFull,
     .references = "kernel nf_conntrack-sysctl.rst"},
    {.id = "accept-queue-overflow",
     .name = "Listener does not accept fast enough",
     .family = Family::connection,
     .specialises = "syn-blocked",
     .proved_by = ProvedBy::host_facts,
     .max_severity = Severity::fault,
     .at_sender = "The server resends its SYN-ACK while the client thinks that it is connected and "
                  "resends its first data; or the SYN is ignored and connecting takes 1, 3 or 7 s.",
     .at_receiver = "The SYN arrives, and the third packet of the handshake is dropped.",
     .at_midpath = "",
     .at_host = "ListenOverflows and ListenDrops rise; ss -lnt shows a Recv-Q above the Send-Q.",
     .active = "A burst of connections brings it out.",
     .told_apart_by = "In a SYN flood (`syn-backlog-cookies`) TCPReqQFull counters rise and many "
                      "connections are half open.",
     .minimum_evidence = "The growth of the counters, or a capture at the server.",
     .remedies = kAcceptQueueOverflow,
     .references = "listen(2); netdata/netdata#2855, #3234"},
    {.id = "syn-backlog-cookies",
     .name = "SYN queue full: cookies cost options",
     .family = Family::connection,
     .specialises = "",
     .proved_by = ProvedBy::host_facts,
     .max_severity = Severity::fault,
     .at_sender = "A SYN-ACK comes without window scale, SACK or timestamps, or with a smaller "
                  "MSS, from a server that normally offers them.",
     .at_receiver = "",
     .at_midpath = "",
     .at_host = "SyncookiesSent and TCPReqQFullDoCookies rise.",
     .active = "It happens only under load.",
     .told_apart_by = "`wscale-stripped` is constant and does not depend on load.",
     .minimum_evidence = "Handshakes under load and without it.",
     .remedies = kSynBacklogCookies,
     .references = "RFC 4987"},
    {.id = "paws-nat-drop",
     .name = "Hosts behind one NAT have unordered timestamps: SYN dropped",
     .family = Family::connection,
     .specialises = "syn-blocked",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "The SYNs of one client stay unanswered and those of another, behind the same "
                  "public address, are answered.",
     .at_receiver = "The SYN arrives with a lower timestamp than the last one from that address.",
     .at_midpath = "",
     .at_host = "PAWSPassive or PAWSActive rise; tcp_tw_recycle is 1 (kernels before 4.12).",
     .active = "It works with timestamps off at the client.",
     .told_apart_by = "With `timewait-syn-drop` the same addresses and ports are used again.",
     .minimum_evidence = "The timestamps of each source, and the unanswered SYNs.",
     .remedies = kPawsNatDrop,
     .references = "RFC 7323 appendix B"},
    {.id = "syn-blocked",
     .name = "SYN filtered or port closed",
     .family = Family::connection,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "SYNs at 1, 3, 7 and 15 s get no answer, or a RST or an ICMP \"administratively "
                  "prohibited\" comes at once.",
     .at_receiver = "",
     .at_midpath = "",
     .at_host = "A firewall drops or rejects them, or nothing listens.",
     .active = "Another port works.",
     .told_apart_by = "The special cases have their own marks: `timewait-syn-drop`, "
                      "`snat-exhausted`, `conntrack-full`, `accept-queue-overflow`, "
                      "`paws-nat-drop`, `ecn-blackhole`, `tfo-blackhole`, `tcp-auth-mismatch`.",
     .minimum_evidence = "The series of SYNs.",
     .remedies = kSynBlocked,
     .references = "RFC 9293 section 3.10.7"},
    {.id = "peer-gone",
     .name = "The other end stops answering for good",
     .family = Family::connection,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "Retransmissions at doubling intervals go on until the capture ends or the "
                  "sender gives up, with nothing from the peer after a certain point.",
     .at_receiver = "If captured there: segments arrive and no answer leaves.",
     .at_midpath = "",
     .at_host = "The peer crashed, its interface is down, or a firewall lost its state.",
     .active = "",
     .told_apart_by = "After a `path-outage` answers come back. `idle-nat-drop` begins after an "
                      "idle time. With `zero-window` the peer still sends window 0.",
     .minimum_evidence = "Four or more doublings unanswered, and no later packet from the peer.",
     .remedies = kPeerGone,
     .references = "RFC 9293 section 3.8.3; RFC 5482"},
    {.id = "tcp-auth-mismatch",
     .name = "TCP-MD5 or TCP-AO keys do not match, or only one side uses them",
     .family = Family::connection,
     .specialises = "syn-blocked",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "SYNs or segments that carry option 19 or 29 stay unanswered, or answers without "
                  "the option are ignored and resent.",
     .at_receiver = "",
     .at_midpath = "",
     .at_host = "TCPMD5NotFound, TCPMD5Unexpected, TCPMD5Failure, TCPAOBad or TCPAOKeyNotFound "
                "rise. Look at the configuration of BGP, LDP or MSDP sessions.",
     .active = "",
     .told_apart_by =
         "With `syn-blocked` no authentication option is in play; here one side has it and the "
         "other lacks it, or both have it and nothing is ever acknowledged.",
     .minimum_evidence = "The option in one direction only, or three unanswered segments with it "
                         "while segments without it are answered.",
     .remedies = kTcpAuthMismatch,
     .references = "RFC 2385; RFC 5925"},
};

}  // namespace

std::span<const Fault> connection_faults() { return kFaults; }

}  // namespace slowpath::catalogue
