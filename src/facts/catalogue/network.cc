// SPDX-License-Identifier: Apache-2.0
// Faults of the family "network": loss, queues, rates and order on the path.
#include "facts/catalogue/families.h"

namespace slowpath::catalogue {
namespace {

using enum Platform;
using enum Role;

constexpr RemedyStep kRandomLoss[] = {
    look(any, path, "Capture at two points and move them together until the loss lies between them",
         "RFC 7680; methods of bisection"),
    look(linux, both_ends,
         "ethtool -S DEV | grep -iE 'crc|err|drop|miss', before and after: which counter rises "
         "with the loss?",
         "ethtool(8), -S"),
    unsure(any, path, "Repair or replace the link, radio or port that loses",
           "put the old part back", "the vendor's manual"),
    change(linux, sender, "sysctl -w net.ipv4.tcp_recovery=1 (RACK), if it was switched off",
           "sysctl -w net.ipv4.tcp_recovery=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_recovery`",
           "kernel ip-sysctl.rst; RFC 8985"),
    change(
        linux, sender,
        "sysctl -w net.ipv4.tcp_congestion_control=bbr, where the link itself cannot be repaired",
        "sysctl -w net.ipv4.tcp_congestion_control=OLD; note the old value first with `sysctl "
        "net.ipv4.tcp_congestion_control`",
        "kernel ip-sysctl.rst; Cardwell and others 2016"),
    unsure(windows, sender,
           "netsh int tcp set supplemental Template=Internet CongestionProvider=bbr2, on releases "
           "that have it",
           "netsh int tcp set supplemental Template=Internet CongestionProvider=OLD; note the old "
           "value first with `Get-NetTCPSetting`",
           "Microsoft Learn: netsh interface tcp"),
    look(solaris, both_ends, "kstat -p 'LINK:*:*:*err*': which counter rises with the loss?",
         "kstat(8)"),
    look(esxi, both_ends,
         "esxcli network nic stats get -n vmnicX: which counter rises with the loss?",
         "VMware: esxcli network reference"),
    look(cloud, path,
         "Open a ticket with the provider, with addresses, ports, direction, time and the rate of "
         "loss",
         "the provider's support pages"),
};

constexpr RemedyStep kCongestionSelf[] = {
    look(any, path,
         "Compare the rate with the capacity of the path: if they are equal there is nothing to "
         "repair, only a larger path helps",
         "RFC 6349"),
    change(linux, gateway,
           "tc qdisc replace dev DEV root fq_codel, on the device in front of the bottleneck, to "
           "keep the queue short",
           "tc qdisc del dev DEV root; note the old one first with `tc qdisc show dev DEV`",
           "tc-fq_codel(8); RFC 8290"),
    unsure(esxi, path, "Give the machine's traffic its share with Network I/O Control",
           "set the shares noted before", "VMware: vSphere Networking, Network I/O Control"),
    unsure(cloud, both_ends, "Take a machine size with more bandwidth",
           "go back to the size noted before", "the provider's table of sizes"),
};

constexpr RemedyStep kCongestionExternal[] = {
    look(linux, client,
         "mtr -rwc 100 DST, at a busy and at a quiet time: from which hop on is the delay high?",
         "mtr(8)"),
    look(
        any, path,
        "Repeat at another time of day and over another path; tell whoever runs the congested link",
        "Sundaresan and others, IMC 2017"),
    change(linux, sender,
           "tc qdisc replace dev DEV root fq maxrate RATE, to stay below what the path can carry",
           "tc qdisc del dev DEV root; note the old one first with `tc qdisc show dev DEV`",
           "tc-fq(8)"),
    unsure(cloud, path, "Use a region or a peering that avoids the congested link",
           "go back to the earlier one", "the provider's network pages"),
};

constexpr RemedyStep kBufferbloat[] = {
    change(linux, gateway,
           "tc qdisc replace dev DEV root cake bandwidth RATE, with RATE 95 % of the link's rate",
           "tc qdisc del dev DEV root; note the old one first with `tc qdisc show dev DEV`",
           "tc-cake(8); RFC 7567"),
    change(linux, sender,
           "tc qdisc replace dev DEV root fq_codel, where the queue is in the sender itself",
           "tc qdisc del dev DEV root; note the old one first with `tc qdisc show dev DEV`",
           "tc-fq_codel(8); RFC 8290"),
    change(windows, sender,
           "New-NetQosPolicy -Name slowpath-limit -ThrottleRateActionBitsPerSecond RATE "
           "-IPDstPrefixMatchCondition DST/32",
           "Remove-NetQosPolicy -Name slowpath-limit", "Microsoft Learn: New-NetQosPolicy"),
    unsure(any, gateway,
           "Switch smart queue management on in the router, with rates just below the link's",
           "switch it off again", "RFC 8290; the router's manual"),
};

constexpr RemedyStep kPolicer[] = {
    change(linux, sender,
           "tc qdisc replace dev DEV root fq maxrate RATE, with RATE just below the policed rate",
           "tc qdisc del dev DEV root; note the old one first with `tc qdisc show dev DEV`",
           "tc-fq(8)"),
    reprogram(any, sender, "Let the application pace itself: set SO_MAX_PACING_RATE on its socket",
              "socket(7), SO_MAX_PACING_RATE"),
    change(linux, sender, "sysctl -w net.ipv4.tcp_congestion_control=bbr, which paces by itself",
           "sysctl -w net.ipv4.tcp_congestion_control=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_congestion_control`",
           "kernel ip-sysctl.rst; Flach and others, SIGCOMM 2016"),
    change(windows, sender,
           "New-NetQosPolicy -Name slowpath-limit -ThrottleRateActionBitsPerSecond RATE "
           "-IPDstPrefixMatchCondition DST/32",
           "Remove-NetQosPolicy -Name slowpath-limit", "Microsoft Learn: New-NetQosPolicy"),
    unsure(solaris, sender, "flowadm add-flow -l LINK -a remote_ip=DST -p maxbw=RATE slowpath",
           "flowadm remove-flow slowpath", "flowadm(8)"),
    unsure(esxi, path, "Switch traffic shaping off in the policy of the port group",
           "switch it on with the values noted before",
           "VMware: vSphere Networking, traffic shaping"),
    unsure(cloud, path, "Raise the contracted rate, or ask the provider for a larger burst",
           "go back to the rate noted before", "the provider's table of rates"),
};

constexpr RemedyStep kShaper[] = {
    look(linux, gateway,
         "tc -s qdisc show dev DEV, on each host in the path: a tbf, htb or cake whose backlog "
         "stands is the shaper",
         "tc(8)"),
    unsure(linux, gateway,
           "Raise the rate of that qdisc or class with tc qdisc change (tc class change)",
           "set the rate that tc qdisc show printed before", "tc-tbf(8); tc-htb(8)"),
    look(windows, sender, "Get-NetQosPolicy: a policy with a throttle rate is the shaper",
         "Microsoft Learn: Get-NetQosPolicy"),
    look(solaris, sender,
         "flowadm show-flowprop and dladm show-linkprop -p maxbw: a maxbw is the shaper",
         "flowadm(8); dladm(8)"),
    look(esxi, path, "Look at the traffic shaping policy of the port group",
         "VMware: vSphere Networking, traffic shaping"),
    look(cloud, both_ends, "Compare the rate with the one published for the machine's size",
         "the provider's table of sizes"),
};

constexpr RemedyStep kVmEgressCap[] = {
    look(linux, sender,
         "ethtool -S DEV | grep allowance_exceeded, on AWS: bw_out_allowance_exceeded rises when "
         "the limit bites",
         "AWS: ENA network performance metrics"),
    look(cloud, sender,
         "Compare the sum of all flows with the rate published for the machine's size",
         "the provider's table of sizes"),
    unsure(cloud, sender, "Take a machine size with more bandwidth",
           "go back to the size noted before", "the provider's table of sizes"),
    unsure(cloud, sender,
           "Switch the provider's accelerated networking (SR-IOV) on for the machine's interface",
           "switch it off again", "Microsoft Learn: Accelerated Networking overview"),
};

constexpr RemedyStep kReordering[] = {
    unsure(any, path,
           "Let the bundled links or equal-cost paths hash by addresses and ports, so that one "
           "connection keeps one path",
           "set the hash policy noted before", "RFC 2992; IEEE 802.1AX"),
    look(linux, path, "cat /proc/net/bonding/BOND: the mode balance-rr reorders by design",
         "kernel bonding.rst"),
    change(linux, gateway, "ip link set dev BOND type bond xmit_hash_policy layer3+4",
           "ip link set dev BOND type bond xmit_hash_policy OLD; note the old value first with "
           "`cat /proc/net/bonding/BOND`",
           "kernel bonding.rst"),
    change(linux, sender, "sysctl -w net.ipv4.tcp_recovery=1 (RACK), if it was switched off",
           "sysctl -w net.ipv4.tcp_recovery=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_recovery`",
           "kernel ip-sysctl.rst; RFC 8985"),
    change(linux, sender,
           "sysctl -w net.ipv4.tcp_reordering=NEW, larger, if the stack does not adapt by itself",
           "sysctl -w net.ipv4.tcp_reordering=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_reordering`",
           "kernel ip-sysctl.rst"),
    unsure(esxi, path, "Choose a load-balancing hash for the link bundle that includes the ports",
           "set the hash noted before", "VMware: vSphere Networking, LACP"),
};

constexpr RemedyStep kDuplicatedPackets[] = {
    look(linux, path,
         "bridge -s link and cat /proc/net/bonding/BOND: look for a loop, or a bond that sends on "
         "all links (broadcast)",
         "bridge(8); kernel bonding.rst"),
    look(any, path,
         "Check that spanning tree is on and that no port mirrors traffic back into the network",
         "IEEE 802.1D"),
    look(linux, capture_host, "editcap -d IN OUT, if only the capture holds the copies",
         "editcap(1)"),
    look(esxi, path,
         "Look for two ports in promiscuous mode, or teamed uplinks without a link bundle on the "
         "switch",
         "VMware: vSphere Networking, security policy"),
};

constexpr RemedyStep kTailLoss[] = {
    look(linux, sender,
         "nstat -az TcpExtTCPLossProbes TcpExtTCPLossProbeRecovery TcpExtTCPTimeouts, before and "
         "after",
         "nstat(8); kernel snmp_counter.rst"),
    change(linux, sender,
           "sysctl -w net.ipv4.tcp_early_retrans=3, so that tail loss probes are sent",
           "sysctl -w net.ipv4.tcp_early_retrans=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_early_retrans`",
           "kernel ip-sysctl.rst; RFC 8985"),
    change(linux, sender, "sysctl -w net.ipv4.tcp_recovery=1 (RACK), if it was switched off",
           "sysctl -w net.ipv4.tcp_recovery=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_recovery`",
           "kernel ip-sysctl.rst; RFC 8985"),
    unsure(windows, sender,
           "netsh int tcp set supplemental Template=Internet taillossprobe=enabled, on Windows "
           "Server 2019 and later",
           "netsh int tcp set supplemental Template=Internet taillossprobe=OLD; note the old value "
           "first with `netsh int tcp show supplemental`",
           "Microsoft Learn: netsh interface tcp"),
};

constexpr RemedyStep kRtoDominated[] = {
    look(any, sender,
         "Find what loses the segments first: see the special cases of this fault; a shorter "
         "timeout only hides it",
         "RFC 6298"),
    look(linux, sender,
         "nstat -az TcpExtTCPTimeouts TcpExtTCPLostRetransmit TcpRetransSegs, before and after",
         "nstat(8); kernel snmp_counter.rst"),
    inside_data_centre(change(
        linux, sender,
        "ip route replace DST via GATEWAY dev DEV rto_min 50ms, only inside one data centre",
        "ip route replace OLD, with the route that `ip route show DST` printed before (ip route "
        "del DST if there was none)",
        "ip-route(8), rto_min")),
    inside_data_centre(unsure(
        windows, sender,
        "Set-NetTCPSetting -SettingName TEMPLATE -MinRtoMs 50, only inside one data centre",
        "Set-NetTCPSetting -SettingName TEMPLATE -MinRtoMs OLD; note the old value first with "
        "`Get-NetTCPSetting`",
        "Microsoft Learn: Set-NetTCPSetting")),
    inside_data_centre(unsure(
        solaris, sender,
        "ipadm set-prop -p _rexmit_interval_min=NEW tcp, only inside one data centre",
        "ipadm set-prop -p _rexmit_interval_min=OLD tcp; note the old value first with `ipadm "
        "show-prop -p _rexmit_interval_min tcp`",
        "Oracle Solaris Tunable Parameters Reference")),
};

constexpr RemedyStep kSpuriousRetransmission[] = {
    change(
        linux, sender,
        "sysctl -w net.ipv4.tcp_frto=2, so that a needless timeout is detected and undone",
        "sysctl -w net.ipv4.tcp_frto=OLD; note the old value first with `sysctl net.ipv4.tcp_frto`",
        "kernel ip-sysctl.rst; RFC 5682"),
    change(linux, both_ends,
           "sysctl -w net.ipv4.tcp_timestamps=1, so that the answer tells which copy it belongs to",
           "sysctl -w net.ipv4.tcp_timestamps=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_timestamps`",
           "kernel ip-sysctl.rst; RFC 3522"),
    change(windows, both_ends, "netsh int tcp set global timestamps=enabled",
           "netsh int tcp set global timestamps=OLD; note the old value first with `netsh int tcp "
           "show global`",
           "Microsoft Learn: netsh interface tcp"),
    look(any, path, "Look for what makes the delay jump: a radio link, a failover, a deep queue",
         "RFC 4015"),
};

constexpr RemedyStep kAckPathCongestion[] = {
    change(linux, gateway,
           "tc qdisc replace dev DEV root cake bandwidth RATE ack-filter, on the side that sends "
           "the ACKs, with RATE 95 % of that link's rate",
           "tc qdisc del dev DEV root; note the old one first with `tc qdisc show dev DEV`",
           "tc-cake(8), ack-filter; RFC 3449"),
    look(any, receiver, "Find what else fills the link in that direction (uploads, backups)",
         "RFC 3449"),
};

constexpr RemedyStep kCwndLimitedNoloss[] = {
    look(linux, sender,
         "ss -ti dst RECEIVER, during the transfer: cwnd, ssthresh and pacing_rate; ip tcp_metrics "
         "show DST for what is remembered",
         "ss(8); ip-tcp_metrics(8)"),
    change(linux, sender,
           "sysctl -w net.ipv4.tcp_slow_start_after_idle=0, if the transfer has pauses",
           "sysctl -w net.ipv4.tcp_slow_start_after_idle=OLD; note the old value first with "
           "`sysctl net.ipv4.tcp_slow_start_after_idle`",
           "kernel ip-sysctl.rst; RFC 7661"),
    change(linux, sender,
           "sysctl -w net.ipv4.tcp_no_metrics_save=1, if a low threshold of an earlier connection "
           "is remembered",
           "sysctl -w net.ipv4.tcp_no_metrics_save=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_no_metrics_save`",
           "kernel ip-sysctl.rst"),
    change(linux, sender, "sysctl -w net.ipv4.tcp_congestion_control=bbr",
           "sysctl -w net.ipv4.tcp_congestion_control=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_congestion_control`",
           "kernel ip-sysctl.rst"),
    unsure(windows, sender,
           "netsh int tcp set supplemental Template=Internet CongestionProvider=cubic",
           "netsh int tcp set supplemental Template=Internet CongestionProvider=OLD; note the old "
           "value first with `Get-NetTCPSetting`",
           "Microsoft Learn: netsh interface tcp"),
    unsure(windows, sender,
           "Set-NetTCPSetting -SettingName TEMPLATE -InitialCongestionWindowMss 10",
           "Set-NetTCPSetting -SettingName TEMPLATE -InitialCongestionWindowMss OLD; note the old "
           "value first with `Get-NetTCPSetting`",
           "Microsoft Learn: Set-NetTCPSetting"),
    unsure(solaris, sender, "ipadm set-prop -p cong_default=cubic tcp",
           "ipadm set-prop -p cong_default=OLD tcp; note the old value first with `ipadm show-prop "
           "-p cong_default tcp`",
           "Oracle Solaris Tunable Parameters Reference"),
};

constexpr RemedyStep kShortFlow[] = {
    reprogram(
        any, client,
        "Keep connections open and use them again, so that later transfers start with a grown "
        "window",
        "RFC 9112 section 9.3"),
    change(linux, sender,
           "ip route replace DST via GATEWAY dev DEV initcwnd NEW, with care: 10 is the standard",
           "ip route replace OLD, with the route that `ip route show DST` printed before (ip route "
           "del DST if there was none)",
           "ip-route(8), initcwnd; RFC 6928"),
    reprogram(cloud, server, "Serve small objects from a place nearer to the client (CDN)",
              "RFC 6928"),
};

constexpr RemedyStep kPathOutage[] = {
    look(linux, both_ends,
         "journalctl -k --since TIME, and the routers' logs of links and routes: what happened at "
         "that second?",
         "journalctl(1)"),
    look(any, path, "Capture on both sides at once, to see in which direction packets stop",
         "RFC 6298"),
    look(linux, both_ends,
         "sysctl net.ipv4.tcp_retries2 net.ipv4.tcp_syn_retries: they decide how long a connection "
         "outlives such an outage",
         "kernel ip-sysctl.rst"),
    look(cloud, path, "Tell the provider time, addresses, ports and direction",
         "the provider's support pages"),
};

constexpr RemedyStep kPathLatency[] = {
    reprogram(
        any, client,
        "Keep connections open and use them again, and send requests without waiting for the last "
        "answer",
        "RFC 9112 section 9.3; RFC 9113"),
    reprogram(any, both_ends, "Use TLS 1.3, which needs one round trip less than TLS 1.2",
              "RFC 8446"),
    change(linux, both_ends,
           "sysctl -w net.ipv4.tcp_fastopen=3, if both applications use TCP Fast Open",
           "sysctl -w net.ipv4.tcp_fastopen=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_fastopen`",
           "kernel ip-sysctl.rst; RFC 7413"),
    change(linux, sender,
           "ip route replace DST via GATEWAY dev DEV initcwnd NEW, with care: 10 is the standard",
           "ip route replace OLD, with the route that `ip route show DST` printed before (ip route "
           "del DST if there was none)",
           "ip-route(8), initcwnd; RFC 6928"),
    reprogram(cloud, server,
              "Put the server, or a cache in front of it, into a region nearer to the client",
              "the provider's map of regions"),
};

constexpr Fault kFaults[] = {
    {.id = "random-loss",
     .name = "Packets lost independent of load",
     .family = Family::network,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "Isolated losses come at any flight size and with the RTT near its minimum; "
                  "flight never builds a queue.",
     .at_receiver = "Single holes, reported by SACK.",
     .at_midpath = "The loss lies between two points of capture.",
     .at_host = "CRC errors, FEC or Wi-Fi retries rise, or no counter does.",
     .active = "The rate of loss is the same at 10, 50 and 90 % of the capacity (UDP).",
     .told_apart_by = "With congestion (`congestion-self`) the RTT rises before a loss, and losses "
                      "cluster at the peaks of flight: compare the RTT before losses with all RTTs "
                      "by rank. With a `policer` everything above a constant rate is lost.",
     .minimum_evidence = "At least ten losses, and the series of RTTs.",
     .remedies = kRandomLoss,
     .references = "Mathis and others 1997; Padhye and others 1998 (PFTK)"},
    {.id = "congestion-self",
     .name = "Our own flow fills the bottleneck queue",
     .family = Family::network,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "The RTT climbs with flight, a burst of losses follows, the window halves, and "
                  "so on in a saw-tooth. In slow start the RTT swings widely.",
     .at_receiver = "Segments arrive at the constant spacing of the bottleneck.",
     .at_midpath = "One hop has a queue.",
     .at_host = "The queue discipline drops or holds a backlog; ifOutDiscards rises.",
     .active = "The rate is about the capacity, and does not rise as the window grows.",
     .told_apart_by = "With `congestion-external` the RTT is high at the start already and swings "
                      "little. With a `policer` the RTT does not rise.",
     .minimum_evidence = "RTT and flight over at least one slow start.",
     .remedies = kCongestionSelf,
     .references = "Sundaresan and others, IMC 2017"},
    {.id = "congestion-external",
     .name = "Path was already congested by others",
     .family = Family::network,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "The RTT is far above the floor given by distance from the first packet on and "
                  "rises little further; losses come at small flight.",
     .at_receiver = "The same is seen.",
     .at_midpath = "The queue stands upstream of this connection.",
     .at_host = "",
     .active = "The rate varies with the time of day; other destinations are fine.",
     .told_apart_by = "With `congestion-self` the RTT starts low and rises with the connection's "
                      "own flight. Check the floor by distance, 1 ms for each 100 km and back: "
                      "with `path-latency` the RTT is the path itself.",
     .minimum_evidence = "The RTTs of a slow start, and a floor for the RTT from elsewhere.",
     .remedies = kCongestionExternal,
     .references = "Sundaresan and others, IMC 2017; wandnz/amplet2#18"},
    {.id = "bufferbloat",
     .name = "Oversized queue: latency under load explodes",
     .family = Family::network,
     .specialises = "congestion-self",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "Under load the RTT is more than three times that at idle and more than 100 ms "
                  "longer, with little loss.",
     .at_receiver = "The same is seen.",
     .at_midpath = "A queue stands at the modem or the slowest link.",
     .at_host = "The queue discipline is pfifo_fast with a long txqueuelen.",
     .active = "A ping beside the load shows the delay.",
     .told_apart_by = "Delayed ACKs or a busy receiver add a constant delay even at low load. With "
                      "`path-latency` the RTT is long at idle too.",
     .minimum_evidence = "The RTT at idle and under load.",
     .remedies = kBufferbloat,
     .references = "RFC 7567; RFC 8290; RFC 6349; librespeed/speedtest#125"},
    {.id = "policer",
     .name = "Excess traffic is dropped by a token bucket",
     .family = Family::network,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "After a first burst every packet above a constant rate is lost. Goodput between "
                  "losses is constant within an eighth, and the RTT does not rise before a loss.",
     .at_receiver = "Holes come in bursts, while the slope of arrivals is constant.",
     .at_midpath = "One hop drops although its queue is empty.",
     .at_host = "The counters of tc police or of a cloud's meter rise.",
     .active = "The rate does not depend on the number of streams; the first bytes are fast.",
     .told_apart_by = "With a `shaper` the RTT rises and nothing is lost until its buffer is full. "
                      "Flows to one destination may share the policer: take them together. With "
                      "`random-loss` the loss does not depend on the rate.",
     .minimum_evidence = "At least 15 losses spread over three or more round trips, and a constant "
                         "rate between them.",
     .remedies = kPolicer,
     .references = "Flach and others, SIGCOMM 2016; Linux tcp_bbr.c (long-term bandwidth)"},
    {.id = "shaper",
     .name = "Rate held by queueing",
     .family = Family::network,
     .specialises = "congestion-self",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "The rate is constant, the RTT grows by buffer/rate, and losses are rare. The "
                  "first seconds are often faster (burst credit).",
     .at_receiver = "Segments arrive spaced exactly by length/rate.",
     .at_midpath = "The shaper holds a queue.",
     .at_host = "A tbf or htb queue discipline holds a backlog.",
     .active = "The rate is the same for one stream, for eight, and for UDP.",
     .told_apart_by = "A physical link of that speed gives the same picture: ask for the contract "
                      "or the link's speed. With `vm-egress-cap` only one direction is limited. A "
                      "`policer` drops without a queue.",
     .minimum_evidence = "At least twenty round trips at the plateau.",
     .remedies = kShaper,
     .references = "Kanuparthy and Dovrolis 2011 (ShaperProbe); Flach and others, SIGCOMM 2016"},
    {.id = "vm-egress-cap",
     .name = "Cloud VM bandwidth limit (outbound metered only)",
     .family = Family::network,
     .specialises = "shaper",
     .proved_by = ProvedBy::host_facts,
     .max_severity = Severity::fault,
     .at_sender = "The sum of all flows stays at the published limit of the machine's size; the "
                  "other direction is faster.",
     .at_receiver = "",
     .at_midpath = "",
     .at_host =
         "The provider's metadata and metrics show it; on AWS bw_out_allowance_exceeded rises.",
     .active = "Upload stays at the limit and download goes above it; one stream and many give the "
               "same sum.",
     .told_apart_by =
         "A limit for a single flow rises with the number of streams; that of the machine does "
         "not. With a `shaper` on the path other machines are limited as well.",
     .minimum_evidence = "Tests in both directions, with one stream and with eight.",
     .remedies = kVmEgressCap,
     .references =
         "Microsoft Learn: virtual machine network bandwidth; AWS: EC2 instance network bandwidth"},
    {.id = "reordering",
     .name = "Packets overtake each other",
     .family = Family::network,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "Duplicate ACKs or SACKs are followed by an ACK of the original without a "
                  "retransmission, or by a DSACK after a needless one. What SACK reported missing "
                  "arrives within a fraction of the RTT.",
     .at_receiver = "IP ID or timestamps come out of order, late by microseconds to milliseconds.",
     .at_midpath = "A hop with several equal paths, bundled links or several queues.",
     .at_host = "TCPSACKReorder, TCPTSReorder or TCPDSACKRecv rise; ss shows reordering above 3.",
     .active = "Pairs of probes swap their order at some rate.",
     .told_apart_by = "A retransmission has a newer IP ID and comes a good part of an RTT later "
                      "(`spurious-retransmission`, `random-loss`). A capture from several queues "
                      "that was not sorted looks the same (`nf-out-of-order-file`): check that "
                      "time is monotonic and causes precede effects.",
     .minimum_evidence = "A receiver's capture, or DSACK at the sender.",
     .remedies = kReordering,
     .references = "RFC 4737; RFC 8985; RFC 2883; Wireshark bug 13863"},
    {.id = "duplicated-packets",
     .name = "Network (or the capture) delivers copies",
     .family = Family::network,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "",
     .at_receiver =
         "The same IP ID and the same bytes arrive twice within microseconds to milliseconds.",
     .at_midpath = "The copy is made at a mirror port, a bridge loop or a radio link.",
     .at_host = "TCPDSACKOldSent rises at the receiver.",
     .active = "",
     .told_apart_by = "Copies that only the capture holds (`nf-dup-capture`) differ in TTL, MAC "
                      "address or VLAN, or come within 50 us, and no DSACK answers them. A "
                      "retransmission has a new IP ID or timestamp.",
     .minimum_evidence = "Both copies, and whether a DSACK answered.",
     .remedies = kDuplicatedPackets,
     .references = "RFC 2883; zeek/zeek#499"},
    {.id = "tail-loss",
     .name = "Last segments of a burst lost, nothing behind to trigger fast retransmit",
     .family = Family::network,
     .specialises = "rto-dominated",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender =
         "Silence follows the last data, then a tail loss probe after two smoothed RTTs or a "
         "resend by timeout; fewer segments follow the loss than the duplicate-ACK threshold.",
     .at_receiver = "The hole is at the end of a burst.",
     .at_midpath = "",
     .at_host = "TCPLossProbes, TCPLossProbeRecovery or TCPTimeouts rise.",
     .active = "Short transfers finish in one of two times, some 200 ms apart.",
     .told_apart_by =
         "While the application pauses (`app-limited-sender`) nothing is outstanding. With a "
         "delayed ACK (`nagle-delack`) the ACK comes within 40 or 200 ms and nothing is resent.",
     .minimum_evidence = "A capture at the sender.",
     .remedies = kTailLoss,
     .references = "RFC 8985; Zhou and others 2015, Demystifying and mitigating TCP stalls at the "
                   "server side"},
    {.id = "rto-dominated",
     .name = "Most of the time is spent waiting for timeouts",
     .family = Family::network,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "More than 30 % of the time are silences that end in a retransmission without "
                  "three duplicate ACKs or SACKs; their lengths double.",
     .at_receiver = "Long silence.",
     .at_midpath = "",
     .at_host = "TCPTimeouts is a large part of RetransSegs; TCPLostRetransmit rises.",
     .active = "",
     .told_apart_by = "This is the general form, and the cause must be looked for: "
                      "`lso-not-segmented`, `pmtud-blackhole`, `tail-loss`, `path-outage`, "
                      "`sack-mangled`, or a needless timeout (`spurious-retransmission`).",
     .minimum_evidence = "A capture at the sender.",
     .remedies = kRtoDominated,
     .references = "RFC 6298; Padhye and others 1998 (PFTK)"},
    {.id = "spurious-retransmission",
     .name = "Data resent although it had arrived",
     .family = Family::network,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "A DSACK answers the resend, or the ACK of the original comes sooner after it "
                  "than the minimum RTT, or its timestamp echo is older than the resend (Eifel).",
     .at_receiver = "A range that was acknowledged arrives again.",
     .at_midpath = "",
     .at_host = "TCPSpuriousRTOs, TCPDSACKRecv, TCPFullUndo or TCPSpuriousRtxHostQueues rise.",
     .active = "The RTT jumps above the timeout, as on radio links.",
     .told_apart_by = "When ACKs are lost (`ack-path-congestion`), received data must be resent "
                      "too; then no ACK had reached the sender before.",
     .minimum_evidence = "A sender's capture with timestamps or DSACK.",
     .remedies = kSpuriousRetransmission,
     .references = "RFC 3522; RFC 5682; RFC 2883; RFC 3708; hgn/captcp#39"},
    {.id = "ack-path-congestion",
     .name = "Reverse path loses or compresses ACKs",
     .family = Family::network,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "ACKs come in clumps and cover many segments each, and flight leaves in bursts; "
                  "only the direction of the ACKs is delayed.",
     .at_receiver = "ACKs leave at regular intervals.",
     .at_midpath = "ACKs are thinned or delayed between two points.",
     .at_host = "TCPAckCompressed rises; the upload is saturated.",
     .active = "Load in the upload direction halves the download.",
     .told_apart_by = "A receiver that merges segments (`nf-gro-merged`) sends few ACKs by design: "
                      "look at a capture there.",
     .minimum_evidence = "A sender's capture with timestamps, or captures at both ends.",
     .remedies = kAckPathCongestion,
     .references = "RFC 3449"},
    {.id = "cwnd-limited-noloss",
     .name = "Congestion control too timid: no loss, no queue, window smaller than BDP",
     .family = Family::network,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "Flight equals the congestion window, which grows slowly or stays small after an "
                  "early end of slow start, a restart after idle time or a remembered threshold; "
                  "the RTT is at its minimum.",
     .at_receiver = "The window has room.",
     .at_midpath = "",
     .at_host = "ss shows a small cwnd and ssthresh; TCPHystart counters rise; ip tcp_metrics "
                "remembers a low threshold.",
     .active = "A longer run reaches the full rate; another congestion control is faster.",
     .told_apart_by = "With `sndbuf-limited` or `rwnd-limited` flight stays at a plateau; here it "
                      "grows visibly.",
     .minimum_evidence = "A sender's capture and TCP_INFO.",
     .remedies = kCwndLimitedNoloss,
     .references = "RFC 9438; RFC 9406; RFC 7661"},
    {.id = "short-flow",
     .name = "Transfer ends inside slow start",
     .family = Family::network,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::note,
     .at_sender = "All bytes are sent before slow start ends, without loss.",
     .at_receiver = "",
     .at_midpath = "",
     .at_host = "",
     .active = "A larger object has a much higher mean rate.",
     .told_apart_by =
         "This is no fault. The ideal time is the handshake and log2(size / initial window) round "
         "trips; more than that has another cause, such as `path-latency` or `server-think-time`.",
     .minimum_evidence = "The handshake and the size.",
     .remedies = kShortFlow,
     .references = "RFC 6928; Zhang and others 2002 (T-RAT, opportunity limited)"},
    {.id = "path-outage",
     .name = "The path loses everything for seconds, then works again",
     .family = Family::network,
     .specialises = "rto-dominated",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "Segments and probes of every size stay unanswered for longer than several "
                  "timeouts, on all connections over that path at once; then ACKs come again.",
     .at_receiver =
         "Nothing arrives for the whole time, or the retransmissions arrive and the ACKs are lost.",
     .at_midpath = "It shows on which side packets stop.",
     .at_host = "Links flap, routes change, or a failover is logged.",
     .active = "Probes of any size fail during that time.",
     .told_apart_by = "With `peer-gone` nothing ever resumes. In a `pmtud-blackhole` small packets "
                      "pass. With `zero-window` the receiver answers. `idle-nat-drop` follows an "
                      "idle time and does not recover.",
     .minimum_evidence = "Three or more transmissions of one range unanswered over at least 1 s, "
                         "with two sizes or two connections, and a later recovery.",
     .remedies = kPathOutage,
     .references = "RFC 6298"},
    {.id = "path-latency",
     .name = "The time is the path's round trip itself",
     .family = Family::network,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "The RTT of the handshake and that of the data are both long and equal, without "
                  "loss and without growth of a queue; the exchange is short.",
     .at_receiver = "",
     .at_midpath = "",
     .at_host = "",
     .active = "The RTT at idle is the same. Light in fibre needs 1 ms for each 100 km and back, "
               "which explains it or does not.",
     .told_apart_by = "With `bufferbloat` the RTT grows under load. With `server-think-time` the "
                      "handshake is fast.",
     .minimum_evidence =
         "The RTT of the handshake is at least 70 % of the time lost for each exchange.",
     .remedies = kPathLatency,
     .references = "Cheshire 1996, It's the latency, stupid; RFC 6349"},
};

}  // namespace

std::span<const Fault> network_faults() { return kFaults; }

}  // namespace slowpath::catalogue
