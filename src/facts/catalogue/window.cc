// SPDX-License-Identifier: Apache-2.0
// Faults of the family "window": buffers and windows too small for the path.
#include "facts/catalogue/families.h"

namespace slowpath::catalogue {
namespace {

using enum Platform;
using enum Role;

constexpr RemedyStep kWscaleAbsent[] = {
    change(linux, both_ends,
           "sysctl -w net.ipv4.tcp_window_scaling=1, on the host whose SYN or SYN-ACK lacks the "
           "option",
           "sysctl -w net.ipv4.tcp_window_scaling=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_window_scaling`",
           "kernel ip-sysctl.rst; RFC 7323 section 2.2"),
    change(linux, both_ends,
           "sysctl -w net.ipv4.tcp_timestamps=1, if the server answers with SYN cookies: they keep "
           "the scale only in a timestamp",
           "sysctl -w net.ipv4.tcp_timestamps=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_timestamps`",
           "kernel ip-sysctl.rst, tcp_syncookies"),
    change(windows, both_ends, "netsh int tcp set global autotuninglevel=normal",
           "netsh int tcp set global autotuninglevel=OLD; note the old value first with `netsh int "
           "tcp show global`",
           "Microsoft Learn: receive window auto-tuning"),
    change(windows, both_ends,
           "netsh int tcp set heuristics disabled, if auto-tuning is on and yet restricted by them",
           "netsh int tcp set heuristics enabled", "Microsoft Learn: netsh interface tcp"),
    unsure(solaris, both_ends, "ipadm set-prop -p _wscale_always=1 tcp",
           "ipadm set-prop -p _wscale_always=OLD tcp; note the old value first with `ipadm "
           "show-prop -p _wscale_always tcp`",
           "Oracle Solaris Tunable Parameters Reference"),
};

constexpr RemedyStep kWscaleStripped[] = {
    look(any, path,
         "Capture the SYN on both sides of each firewall, WAN accelerator or router, to find the "
         "box that removes the option",
         "RFC 7323 section 2.2; Honda and others 2011"),
    unsure(any, gateway,
           "Switch off, on that box, the part of its TCP normalisation that clears unknown or "
           "large-window options, or upgrade it",
           "switch the part on again", "the vendor's manual, TCP normalisation"),
    change(linux, both_ends,
           "sysctl -w net.ipv4.tcp_window_scaling=0, only as a stopgap where one side alone loses "
           "the option",
           "sysctl -w net.ipv4.tcp_window_scaling=1", "kernel ip-sysctl.rst"),
    change(windows, both_ends,
           "netsh int tcp set global autotuninglevel=restricted, only as a stopgap",
           "netsh int tcp set global autotuninglevel=OLD; note the old value first with `netsh int "
           "tcp show global`",
           "Microsoft Learn: receive window auto-tuning"),
};

constexpr RemedyStep kWscaleMisapplied[] = {
    look(linux, gateway,
         "conntrack -S, before and after a stall: a rising count of invalid packets shows that the "
         "box misjudges the window",
         "conntrack(8)"),
    change(linux, gateway, "sysctl -w net.netfilter.nf_conntrack_tcp_be_liberal=1",
           "sysctl -w net.netfilter.nf_conntrack_tcp_be_liberal=OLD; note the old value first with "
           "`sysctl net.netfilter.nf_conntrack_tcp_be_liberal`",
           "kernel nf_conntrack-sysctl.rst"),
    unsure(any, gateway,
           "Upgrade the firewall to a release that honours the window scale, and make sure that it "
           "sees the handshake of each connection",
           "go back to the release noted before", "RFC 7323 section 2.3; Microsoft KB 934430"),
    change(linux, both_ends,
           "sysctl -w net.ipv4.tcp_window_scaling=0, as the last resort: it limits every "
           "connection to 64 KB a round trip",
           "sysctl -w net.ipv4.tcp_window_scaling=1", "kernel ip-sysctl.rst"),
    change(windows, receiver,
           "netsh int tcp set global autotuninglevel=restricted, as the last resort",
           "netsh int tcp set global autotuninglevel=OLD; note the old value first with `netsh int "
           "tcp show global`",
           "Microsoft Learn: receive window auto-tuning"),
    unsure(solaris, both_ends, "ipadm set-prop -p _wscale_always=0 tcp, as the last resort",
           "ipadm set-prop -p _wscale_always=OLD tcp; note the old value first with `ipadm "
           "show-prop -p _wscale_always tcp`",
           "Oracle Solaris Tunable Parameters Reference"),
};

constexpr RemedyStep kRwndFixed64k[] = {
    change(linux, receiver, "sysctl -w net.ipv4.tcp_moderate_rcvbuf=1",
           "sysctl -w net.ipv4.tcp_moderate_rcvbuf=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_moderate_rcvbuf`",
           "kernel ip-sysctl.rst"),
    change(linux, receiver,
           "sysctl -w net.ipv4.tcp_rmem='MIN DEFAULT NEW', with NEW at least 2 x bandwidth x RTT "
           "and the other two as they are",
           "sysctl -w net.ipv4.tcp_rmem='OLD'; note the old values first with `sysctl "
           "net.ipv4.tcp_rmem`",
           "kernel ip-sysctl.rst"),
    reprogram(
        any, receiver,
        "Look in the application for a fixed SO_RCVBUF, which switches auto-tuning off; remove it "
        "or make it a setting",
        "tcp(7); socket(7)"),
    change(windows, receiver, "netsh int tcp set global autotuninglevel=normal",
           "netsh int tcp set global autotuninglevel=OLD; note the old value first with `netsh int "
           "tcp show global`",
           "Microsoft Learn: receive window auto-tuning"),
    change(windows, receiver,
           "Set-NetTCPSetting -SettingName TEMPLATE -AutoTuningLevelLocal Normal, where only one "
           "template is off",
           "Set-NetTCPSetting -SettingName TEMPLATE -AutoTuningLevelLocal OLD; note the old value "
           "first with `Get-NetTCPSetting`",
           "Microsoft Learn: Set-NetTCPSetting"),
    unsure(solaris, receiver, "ipadm set-prop -p max_buf=4194304 tcp",
           "ipadm set-prop -p max_buf=OLD tcp; note the old value first with `ipadm show-prop -p "
           "max_buf tcp`",
           "Oracle Solaris Tunable Parameters Reference"),
    unsure(solaris, receiver, "ipadm set-prop -p recv_buf=1048576 tcp",
           "ipadm set-prop -p recv_buf=OLD tcp; note the old value first with `ipadm show-prop -p "
           "recv_buf tcp`",
           "Oracle Solaris Tunable Parameters Reference"),
};

constexpr RemedyStep kRwndLimited[] = {
    change(linux, receiver,
           "sysctl -w net.ipv4.tcp_rmem='MIN DEFAULT NEW', with NEW at least 2 x bandwidth x RTT "
           "and the other two as they are",
           "sysctl -w net.ipv4.tcp_rmem='OLD'; note the old values first with `sysctl "
           "net.ipv4.tcp_rmem`",
           "kernel ip-sysctl.rst"),
    look(linux, receiver,
         "ss -tmi dst SENDER: skmem rb is the buffer in use and rcv_ssthresh the largest window "
         "that it allows",
         "ss(8)"),
    change(
        linux, receiver,
        "sysctl -w net.core.rmem_max=NEW, if the application sets SO_RCVBUF itself",
        "sysctl -w net.core.rmem_max=OLD; note the old value first with `sysctl net.core.rmem_max`",
        "socket(7), SO_RCVBUF; kernel sysctl/net.rst"),
    change(windows, receiver, "netsh int tcp set global autotuninglevel=normal",
           "netsh int tcp set global autotuninglevel=OLD; note the old value first with `netsh int "
           "tcp show global`",
           "Microsoft Learn: receive window auto-tuning"),
    unsure(windows, receiver,
           "netsh int tcp set global autotuninglevel=experimental, only if normal is not enough on "
           "a very long path",
           "netsh int tcp set global autotuninglevel=normal",
           "Microsoft Learn: receive window auto-tuning"),
    unsure(solaris, receiver,
           "ipadm set-prop -p max_buf=NEW tcp, with NEW at least 2 x bandwidth x RTT",
           "ipadm set-prop -p max_buf=OLD tcp; note the old value first with `ipadm show-prop -p "
           "max_buf tcp`",
           "Oracle Solaris Tunable Parameters Reference"),
    unsure(solaris, receiver,
           "ipadm set-prop -p recv_buf=NEW tcp, with NEW at least bandwidth x RTT",
           "ipadm set-prop -p recv_buf=OLD tcp; note the old value first with `ipadm show-prop -p "
           "recv_buf tcp`",
           "Oracle Solaris Tunable Parameters Reference"),
};

constexpr RemedyStep kZeroWindow[] = {
    look(linux, receiver,
         "ss -tmp src :PORT: a Recv-Q near the buffer's size names the process that does not read",
         "ss(8)"),
    look(linux, receiver,
         "Look at what that process waits for: top -H -p PID for CPU, iostat -x 1 for disk, cat "
         "/proc/PID/stack for the call it sleeps in",
         "top(1); iostat(1); proc(5)"),
    reprogram(any, receiver,
              "Give reading its own thread, or make what slows it (disk, decompression, database) "
              "faster; larger buffers only delay the stall",
              "RFC 9293 section 3.8.6"),
};

constexpr RemedyStep kSillyWindow[] = {
    reprogram(
        any, receiver,
        "Give the socket a larger SO_RCVBUF, or let the system tune it by not setting one at all",
        "RFC 1122 section 4.2.3.3; socket(7)"),
    change(linux, receiver,
           "ip link set dev DEV mtu NEW, so that the buffer holds many segments (loopback and "
           "jumbo devices)",
           "ip link set dev DEV mtu OLD; note the old value first with `ip link show DEV`",
           "ip-link(8); RFC 813"),
};

constexpr RemedyStep kSndbufLimited[] = {
    look(linux, sender,
         "ss -ti dst RECEIVER: sndbuf_limited shows the share of time that the send buffer held "
         "the connection back",
         "ss(8); RFC 4898"),
    reprogram(
        any, sender,
        "Remove SO_SNDBUF from the application, because it switches the system's own tuning off, "
        "or raise it to 2 x bandwidth x RTT",
        "tcp(7); socket(7)"),
    change(linux, sender,
           "sysctl -w net.ipv4.tcp_wmem='MIN DEFAULT NEW', with NEW at least 2 x bandwidth x RTT "
           "and the other two as they are",
           "sysctl -w net.ipv4.tcp_wmem='OLD'; note the old values first with `sysctl "
           "net.ipv4.tcp_wmem`",
           "kernel ip-sysctl.rst"),
    unsure(windows, sender, "netsh winsock set autotuning on", "netsh winsock set autotuning off",
           "Microsoft Learn: netsh winsock"),
    unsure(solaris, sender,
           "ipadm set-prop -p send_buf=NEW tcp, with NEW at least bandwidth x RTT and max_buf "
           "above it",
           "ipadm set-prop -p send_buf=OLD tcp; note the old value first with `ipadm show-prop -p "
           "send_buf tcp`",
           "Oracle Solaris Tunable Parameters Reference"),
};

constexpr RemedyStep kRcvbufPruned[] = {
    look(linux, receiver,
         "nstat -az 'TcpExtPruneCalled' 'TcpExtTCPRcvCollapsed' 'TcpExtTCPRcvQDrop' "
         "'TcpExtTCPMemoryPressures', before and after",
         "nstat(8); kernel snmp_counter.rst"),
    change(linux, receiver,
           "sysctl -w net.ipv4.tcp_mem='NEW', with NEW three larger numbers of pages, if "
           "TCPMemoryPressures rises",
           "sysctl -w net.ipv4.tcp_mem='OLD'; note the old values first with `sysctl "
           "net.ipv4.tcp_mem`",
           "kernel ip-sysctl.rst"),
    change(linux, receiver,
           "sysctl -w net.ipv4.tcp_rmem='MIN DEFAULT NEW', larger if data are pruned, smaller if "
           "collapsing the queue causes latency spikes",
           "sysctl -w net.ipv4.tcp_rmem='OLD'; note the old values first with `sysctl "
           "net.ipv4.tcp_rmem`",
           "kernel ip-sysctl.rst"),
    reprogram(
        any, both_ends,
        "Read in larger pieces and write fewer tiny messages: each small segment costs a whole "
        "buffer",
        "kernel snmp_counter.rst, TcpExtTCPRcvCollapsed"),
    unsure(windows, receiver,
           "netsh int tcp set security mpp=disabled, if memory pressure protection drops the "
           "connections",
           "netsh int tcp set security mpp=OLD; note the old value first with `netsh int tcp show "
           "security`",
           "Microsoft Learn: netsh interface tcp"),
    unsure(solaris, receiver, "ipadm set-prop -p max_buf=NEW tcp",
           "ipadm set-prop -p max_buf=OLD tcp; note the old value first with `ipadm show-prop -p "
           "max_buf tcp`",
           "Oracle Solaris Tunable Parameters Reference"),
};

constexpr RemedyStep kSenderLimited[] = {
    look(linux, sender,
         "ss -ti dst RECEIVER, during the transfer: sndbuf_limited, app_limited, notsent and "
         "pacing_rate say which of the three it is",
         "ss(8); RFC 4898"),
    look(any, sender,
         "Look at the source of the data: read it to nowhere (dd if=FILE of=/dev/null bs=1M) and "
         "compare the rate",
         "dd(1)"),
    reprogram(
        any, sender,
        "Remove SO_SNDBUF from the application, because it switches the system's own tuning off, "
        "or raise it to 2 x bandwidth x RTT",
        "tcp(7); socket(7)"),
    change(linux, sender,
           "sysctl -w net.ipv4.tcp_wmem='MIN DEFAULT NEW', with NEW at least 2 x bandwidth x RTT "
           "and the other two as they are",
           "sysctl -w net.ipv4.tcp_wmem='OLD'; note the old values first with `sysctl "
           "net.ipv4.tcp_wmem`",
           "kernel ip-sysctl.rst"),
    unsure(windows, sender, "netsh winsock set autotuning on", "netsh winsock set autotuning off",
           "Microsoft Learn: netsh winsock"),
    reprogram(
        windows, sender,
        "Let the application write larger blocks, with more than one overlapped write outstanding",
        "Microsoft Learn: high-performance Windows Sockets applications"),
    unsure(solaris, sender,
           "ipadm set-prop -p send_buf=NEW tcp, with NEW at least bandwidth x RTT and max_buf "
           "above it",
           "ipadm set-prop -p send_buf=OLD tcp; note the old value first with `ipadm show-prop -p "
           "send_buf tcp`",
           "Oracle Solaris Tunable Parameters Reference"),
};

constexpr Fault kFaults[] = {
    {.id = "wscale-absent",
     .name = "A host does not offer window scaling",
     .family = Family::window,
     .specialises = "rwnd-limited",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "The SYN or SYN-ACK leaves its host without option 3, and the bytes in flight "
                  "top out at 65 535.",
     .at_receiver = "The same handshake is seen.",
     .at_midpath = "The handshake is the same on both sides of every box.",
     .at_host =
         "tcp_window_scaling is 0; on Windows auto-tuning is disabled, and then no scale is "
         "offered; a listener has a tiny SO_RCVBUF; or SYN cookies are in use without timestamps.",
     .active = "The rate is about 65 535 bytes a round trip and falls as 1/RTT.",
     .told_apart_by = "With `wscale-stripped` the option is present where the SYN was made and "
                      "absent later. Where the handshake was not captured (`nf-missing-handshake`) "
                      "the scale is unknown and never guessed from a small window.",
     .minimum_evidence = "The SYN or SYN-ACK seen at the host that sent it.",
     .remedies = kWscaleAbsent,
     .references = "RFC 7323 section 2"},
    {.id = "wscale-stripped",
     .name = "A middlebox removes the window-scale option",
     .family = Family::window,
     .specialises = "rwnd-limited",
     .proved_by = ProvedBy::two_captures,
     .max_severity = Severity::fault,
     .at_sender = "The SYN leaves with a window scale, and the SYN-ACK comes back without one "
                  "although the peer offers it.",
     .at_receiver = "The SYN arrives without the option, the others intact or replaced by padding.",
     .at_midpath = "The option disappears at one hop.",
     .at_host =
         "A firewall normalises TCP, or there is an old router or a performance-enhancing proxy.",
     .active = "A walk with rising TTL shows the hop; every host behind it is limited to 64 KB a "
               "round trip.",
     .told_apart_by = "With `wscale-absent` the host itself does not offer the option. Stripping "
                      "it in one direction only is worse: see `wscale-misapplied`.",
     .minimum_evidence = "SYN and SYN-ACK at both ends.",
     .remedies = kWscaleStripped,
     .references = "RFC 7323; Honda and others 2011"},
    {.id = "wscale-misapplied",
     .name = "A middlebox lets WS through but ignores (or half-removes) it",
     .family = Family::window,
     .specialises = "rwnd-limited",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "The connection stalls as soon as the bytes in flight exceed the window as it "
                  "stands in the header, unscaled: the box drops what it takes for out of window. "
                  "A timeout and a trickle follow; or the peer's window looks tiny.",
     .at_receiver =
         "The receiver advertises, for example, a raw 229 (29 312 bytes with scale 7) and waits.",
     .at_midpath = "The box drops segments as out of window, or answers with a RST.",
     .at_host = "The count of invalid packets of the connection tracking rises, or a firewall's "
                "log mentions the window.",
     .active = "It works with window scaling off and stalls with it on.",
     .told_apart_by = "With `rwnd-limited` there is no loss and the rate is steady at window/RTT. "
                      "Here the loss begins exactly where flight equals the raw window.",
     .minimum_evidence = "A capture on both sides of the box, or an A/B run.",
     .remedies = kWscaleMisapplied,
     .references =
         "RFC 7323 section 2.3; Microsoft KB 934430, KB 947239; kubernetes/kubernetes#117924"},
    {.id = "rwnd-fixed-64k",
     .name = "Auto-tuning off: receive window never exceeds 64 KB",
     .family = Family::window,
     .specialises = "rwnd-limited",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "The bytes in flight stop at 65 535 (or 64 240, 65 160), and the sender waits "
                  "for the next ACK; there is no loss.",
     .at_receiver = "The window is constant and never grows although the application reads.",
     .at_midpath = "",
     .at_host = "Auto-tuning is disabled (Windows), tcp_moderate_rcvbuf is 0, or the application "
                "sets SO_RCVBUF.",
     .active = "The rate is 65 535 bytes a round trip (17.48 Mbit/s at 30 ms). A larger buffer in "
               "the test cures it, and N streams give N times the rate.",
     .told_apart_by = "With a slow reader (`zero-window`) the window moves. With `wscale-absent` "
                      "the option is missing; here it may be present.",
     .minimum_evidence = "The handshake and ten round trips of flight.",
     .remedies = kRwndFixed64k,
     .references = "RFC 7323; Microsoft Learn: receive window auto-tuning"},
    {.id = "rwnd-limited",
     .name = "Receive window smaller than bandwidth-delay product",
     .family = Family::window,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender =
         "Most of the time the bytes in flight are within two segments of the advertised window, "
         "and the sender waits. There is no loss, and the RTT is near its minimum.",
     .at_receiver =
         "The window grows and then meets a ceiling, on Linux half of the buffer's maximum.",
     .at_midpath = "",
     .at_host = "ss shows a share of rwnd_limited; look at tcp_rmem, rmem_max and rcv_ssthresh.",
     .active = "Throughput is window/RTT within 5 % and grows with the number of streams.",
     .told_apart_by = "If flight is at the window and the RTT is far above its minimum, the window "
                      "only fills a queue, and the path is the limit (`bufferbloat`, `shaper`). "
                      "Wireshark's \"window full\" ignores this.",
     .minimum_evidence = "Ten round trips, the window scale known, and flight measured at the "
                         "sender or corrected to it.",
     .remedies = kRwndLimited,
     .references =
         "RFC 7323; Zhang and others 2002 (T-RAT); Siekkinen and others 2005; esnet/iperf#249"},
    {.id = "zero-window",
     .name = "Receiving application does not read",
     .family = Family::window,
     .specialises = "rwnd-limited",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "The window closes to 0, probes follow at growing intervals, and a window update "
                  "opens it again.",
     .at_receiver = "The receive queue is full and the window 0 is sent.",
     .at_midpath = "",
     .at_host = "ss shows a Recv-Q near the buffer's size; TCPToZeroWindowAdv (receiver) rises; "
                "the receiving process waits for disk or CPU.",
     .active = "A reader that throws the data away is fast; the real application is slow.",
     .told_apart_by =
         "A scaled window may round down to 0 for a moment, and a RST or FIN with window 0 is no "
         "closed window (`nf-win0-in-rst`). Devices such as printers stop the sender by design.",
     .minimum_evidence = "Window 0 with data outstanding or pending: more than one episode, or one "
                         "longer than 1 s.",
     .remedies = kZeroWindow,
     .references = "RFC 9293 section 3.8.6.1"},
    {.id = "silly-window",
     .name = "Tiny window advances make tiny segments",
     .family = Family::window,
     .specialises = "rwnd-limited",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender =
         "Many segments are far below the MSS, each as long as a small opening of the window.",
     .at_receiver = "Window updates are smaller than the MSS and than half of the buffer.",
     .at_midpath = "",
     .at_host = "SO_RCVBUF is small against the MSS (jumbo frames, loopback), or the stack does "
                "not avoid silly windows.",
     .active = "It goes away with a smaller MTU or a larger buffer.",
     .told_apart_by = "An application that writes small pieces without Nagle makes small segments "
                      "too, but then the window is open (`app-limited-sender`).",
     .minimum_evidence =
         "A series of window updates below the MSS, followed by segments of just that size.",
     .remedies = kSillyWindow,
     .references =
         "RFC 813; RFC 1122 section 4.2.3.3; truenas/middleware#14136; google/gvisor#1398"},
    {.id = "sndbuf-limited",
     .name = "Send buffer smaller than bandwidth-delay product",
     .family = Family::window,
     .specialises = "sender-limited",
     .proved_by = ProvedBy::host_facts,
     .max_severity = Severity::fault,
     .at_sender = "Flight is flat at a value below the receive window and the congestion window, "
                  "often a round one (16, 64 or 128 KB). The next data leave exactly when an ACK "
                  "frees space; there is no loss.",
     .at_receiver = "The window has room and nothing is missing.",
     .at_midpath = "",
     .at_host = "ss shows a share of sndbuf_limited and little unsent data; SO_SNDBUF is set, "
                "which switches auto-tuning off; or tcp_wmem is small.",
     .active = "The rate is buffer/RTT, and a larger buffer in the test helps.",
     .told_apart_by = "From packets alone it is hard to tell from `app-limited-sender`: the "
                      "kernel's own account (TCP_INFO) or the socket's options decide. Without "
                      "them the answer is `sender-limited`.",
     .minimum_evidence = "TCP_INFO's time limited by the send buffer; or a plateau of flight with "
                         "sends that follow ACKs.",
     .remedies = kSndbufLimited,
     .references = "RFC 4898; erebe/wstunnel#80; ndt-project/ndt#17"},
    {.id = "rcvbuf-pruned",
     .name = "Receiver drops or collapses queue for lack of memory",
     .family = Family::window,
     .specialises = "",
     .proved_by = ProvedBy::host_facts,
     .max_severity = Severity::fault,
     .at_sender = "Segments are retransmitted and the window shrinks suddenly.",
     .at_receiver = "Data that had arrived within the window, even data reported by SACK, are "
                    "asked for again.",
     .at_midpath = "",
     .at_host = "PruneCalled, RcvPruned, OfoPruned, TCPRcvCollapsed, TCPBacklogDrop, TCPRcvQDrop "
                "or TCPMemoryPressures rise.",
     .active = "Many small segments with a large buffer bring latency spikes.",
     .told_apart_by = "With loss in the network (`random-loss`) the packet is absent from the "
                      "receiver's capture; here it is there and is not acknowledged.",
     .minimum_evidence = "A receiver's capture and its TCP counters.",
     .remedies = kRcvbufPruned,
     .references = "Cloudflare blog 2015, the story of one latency spike; Cloudflare blog 2022, "
                   "optimizing TCP for high WAN throughput"},
    {.id = "sender-limited",
     .name = "The sending host does not offer more data: send buffer, application or pacing",
     .family = Family::window,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "Flight stays flat well below the receive window and the congestion window, with "
                  "the RTT near its minimum and no loss. The next data leave either exactly when "
                  "an ACK frees space (buffer) or at the application's own rhythm.",
     .at_receiver = "The window has room and data arrive in order, with idle gaps that do not "
                    "follow the ACKs.",
     .at_midpath = "",
     .at_host = "TCP_INFO decides between the three: share of sndbuf_limited, app-limited delivery "
                "rate, bytes not sent, pacing rate.",
     .active = "A larger buffer, or a faster source of the data, changes the rate or does not.",
     .told_apart_by = "This is the honest answer when only packets are at hand: `sndbuf-limited`, "
                      "`app-limited-sender` and pacing look alike. A plateau of flight with sends "
                      "that follow ACKs speaks for the buffer; segments below the MSS with PSH and "
                      "pauses longer than one RTT speak for the application.",
     .minimum_evidence = "Ten round trips without loss and with flight below both windows; the "
                         "socket's facts to name one of the three.",
     .remedies = kSenderLimited,
     .references = "RFC 4898"},
};

}  // namespace

std::span<const Fault> window_faults() { return kFaults; }

}  // namespace slowpath::catalogue
