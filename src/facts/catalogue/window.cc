// SPDX-License-Identifier: Apache-2.0
// Faults of the family "window".
#include "facts/catalogue/families.h"

namespace slowpath::catalogue {
namespace {

constexpr Fault kFaults[] = {
    {.id = "wscale-absent",
     .name = "A host does not offer window scaling",
     .family = Family::window,
     .specialises = "rwnd-limited",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "SYN or SYN-ACK leaves the HOST without option 3; flight tops at 65 535",
     .at_receiver = "Same",
     .at_midpath = "Same on both sides of every box",
     .at_host = "tcp_window_scaling=0, autotuning disabled (Windows then offers none), listener "
                "SO_RCVBUF tiny, SYN cookies w/o timestamps",
     .active = "rate ~ 65 535/RTT, falls as 1/RTT",
     .told_apart_by = "Stripped: option present at origin capture, absent later. SYN not captured: "
                      "say unknown, never guess (infer scale by flight > window)",
     .minimum_evidence = "SYN seen at the origin host",
     .remedies = {},
     .references = ""},
    {.id = "wscale-stripped",
     .name = "A middlebox removes the window-scale option",
     .family = Family::window,
     .specialises = "rwnd-limited",
     .proved_by = ProvedBy::two_captures,
     .max_severity = Severity::fault,
     .at_sender = "SYN with WS leaves; SYN-ACK comes back without (or SYN reaches peer without)",
     .at_receiver = "SYN arrives without WS, other options intact or NOP-filled",
     .at_midpath = "Changes at one hop",
     .at_host = "firewall 'TCP normalisation', old router, PEP",
     .active = "TTL walk; rate 64 KB/RTT for every host behind it",
     .told_apart_by = "wscale-absent. One-sided stripping is worse: see wscale-misapplied",
     .minimum_evidence = "SYN/SYN-ACK at both ends",
     .remedies = {},
     .references = ""},
    {.id = "wscale-misapplied",
     .name = "A middlebox lets WS through but ignores (or half-removes) it",
     .family = Family::window,
     .specialises = "rwnd-limited",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "Peer's window looks tiny (unscaled) or segments beyond 64 KB are dropped by the "
                  "box; stalls as soon as flight > raw window; RTO, then trickle",
     .at_receiver = "Receiver advertises raw 229 (=29 312 with WS 7) and waits",
     .at_midpath = "Box drops 'out of window' segments or answers RST",
     .at_host = "conntrack INVALID counters, firewall log 'window'",
     .active = "Works with WS off, stalls with WS on (classic Vista KB 934430)",
     .told_apart_by = "rwnd-limited: no loss, steady rate at W/RTT. Here loss starts exactly at "
                      "flight = raw window",
     .minimum_evidence = "Capture of both sides or A/B",
     .remedies = {},
     .references = ""},
    {.id = "rwnd-fixed-64k",
     .name = "Auto-tuning off: receive window never exceeds 64 KB",
     .family = Family::window,
     .specialises = "rwnd-limited",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "Flight saw-tooth flat at 65 535 (or 64 240/65 160), snd idle until ACK; no loss",
     .at_receiver = "win constant, never grows although the application drains",
     .at_midpath = "",
     .at_host = "netsh: Receive Window Auto-Tuning Level disabled; tcp_moderate_rcvbuf=0; "
                "SO_RCVBUF set by app",
     .active = "rate = 65 535/RTT (17.48 Mbit/s at 30 ms); -w 1M fixes it; N streams give N times",
     .told_apart_by =
         "rwnd-limited by slow reader: window moves/zero. WS present but value 0..? also 64 K",
     .minimum_evidence = "Handshake + 10 RTTs of flight",
     .remedies = {},
     .references = ""},
    {.id = "rwnd-limited",
     .name = "Receive window smaller than bandwidth-delay product",
     .family = Family::window,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "Flight + 1..2 MSS >= advertised window most of the time; sender waits; no loss, "
                  "RTT ~ min",
     .at_receiver = "Window grows then hits a ceiling = rmem max/2",
     .at_midpath = "",
     .at_host = "ss: rwnd_limited N%; rmem_max, tcp_rmem[2], rcv_ssthresh",
     .active = "Throughput = W/RTT within 5 %; scales with streams",
     .told_apart_by =
         "Queueing: if flight is at rwnd AND RTT >> RTTmin, the window merely fills a queue: then "
         "path is limit (Siekkinen b-score idea). Wireshark 'window full' ignores this",
     .minimum_evidence = ">= 10 RTTs; scale known; flight measured at or corrected to the sender",
     .remedies = {},
     .references = ""},
    {.id = "zero-window",
     .name = "Receiving application does not read",
     .family = Family::window,
     .specialises = "rwnd-limited",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "Window closes to 0, probes at RTO backoff, window update reopens",
     .at_receiver = "Recv-Q full, win 0",
     .at_midpath = "",
     .at_host = "ss Recv-Q ~ rcvbuf; TCPToZeroWindowAdv/TCPFromZeroWindowAdv; receiver process "
                "blocked (disk, CPU)",
     .active = "Sink-to-/dev/null is fast, real app slow",
     .told_apart_by = "Scaled window rounding to 0; RST/FIN with win 0 are not zero-window; "
                      "printer-style flow control is by design",
     .minimum_evidence =
         "win=0 with data outstanding or pending: more than one episode, or one of more than 1 s",
     .remedies = {},
     .references = ""},
    {.id = "silly-window",
     .name = "Tiny window advances make tiny segments",
     .family = Family::window,
     .specialises = "rwnd-limited",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "Many segments << MSS each matching a small window opening",
     .at_receiver = "Window updates < min(MSS, buf/2)",
     .at_midpath = "",
     .at_host = "Small SO_RCVBUF vs MSS (jumbo/64K MTU!), stack without SWS avoidance",
     .active = "Goes away with smaller MTU or larger buffer",
     .told_apart_by = "Nagle-off chatty app: small segments but window open",
     .minimum_evidence = "Sequence of updates < MSS followed by segments of that size",
     .remedies = {},
     .references = ""},
    {.id = "sndbuf-limited",
     .name = "Send buffer smaller than bandwidth-delay product",
     .family = Family::window,
     .specialises = "sender-limited",
     .proved_by = ProvedBy::host_facts,
     .max_severity = Severity::fault,
     .at_sender = "Flight flat at a value < rwnd and < cwnd; next data exactly when ACK frees "
                  "space; no loss; usually round number (16K, 64K, 128K, wmem max)",
     .at_receiver = "Room in window, no gaps in order",
     .at_midpath = "",
     .at_host =
         "ss: sndbuf_limited N%; notsent small; SO_SNDBUF set (disables autotuning); tcp_wmem[2]",
     .active = "Rate = buf/RTT; larger -w helps",
     .told_apart_by = "From packets alone hard to tell from app-limited: open tool with same idea "
                      "labelled 142/147 wrongly at 0.1 BDP (45 % right overall, CUBIC). Use "
                      "TCP_INFO chrono or socket option to decide; else report both",
     .minimum_evidence = "TCP_INFO sndbuf_limited, or flight plateau + ACK-clocked sends",
     .remedies = {},
     .references = ""},
    {.id = "rcvbuf-pruned",
     .name = "Receiver drops or collapses queue for lack of memory",
     .family = Family::window,
     .specialises = "",
     .proved_by = ProvedBy::host_facts,
     .max_severity = Severity::fault,
     .at_sender = "Retransmissions, window suddenly shrinks",
     .at_receiver = "In-window data that was received gets re-requested (SACK reneging)",
     .at_midpath = "",
     .at_host = "PruneCalled, RcvPruned, OfoPruned, TCPRcvCollapsed, TCPBacklogDrop, TCPRcvQDrop, "
                "TCPMemoryPressures",
     .active = "Many small segments + big rmem: latency spikes",
     .told_apart_by = "Network loss: packet absent at receiver capture; here present but not acked",
     .minimum_evidence = "Receiver capture + nstat",
     .remedies = {},
     .references = ""},
    {.id = "sender-limited",
     .name = "The sending host does not offer more data: send buffer, application or pacing",
     .family = Family::window,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "Flight stays flat well below the receive window and below the congestion "
                  "window, RTT near its minimum, no loss; the next data leaves either exactly when "
                  "an ACK frees space (buffer) or at the application's own rhythm",
     .at_receiver = "Room in the window, data in order, idle gaps unrelated to ACK timing",
     .at_midpath = "",
     .at_host = "TCP_INFO: sndbuf_limited share, delivery_rate_app_limited, notsent bytes, pacing "
                "rate decide which of the three",
     .active = "-w larger or a faster reader of the source changes the rate or does not",
     .told_apart_by =
         "This is the honest answer when only packets are at hand: send buffer (sndbuf-limited), "
         "application (app-limited-sender) and pacing look alike. Plateau of flight at a constant "
         "value with ACK-clocked sends speaks for the buffer; sub-MSS segments with PSH and idle "
         "longer than one RTT speak for the application",
     .minimum_evidence =
         "10 RTTs without loss, flight below both windows; socket facts to name one of the three",
     .remedies = {},
     .references = ""},
};

}  // namespace

std::span<const Fault> window_faults() { return kFaults; }

}  // namespace slowpath::catalogue
