// SPDX-License-Identifier: Apache-2.0
// Faults of the family "mtu": packets too large for the path, and fragments.
#include "facts/catalogue/families.h"

namespace slowpath::catalogue {
namespace {

using enum Platform;
using enum Role;

// fix/mss_clamp takes this step, and knows it by these very words.
constexpr std::string_view kClampMss =
    "nft 'add table inet slowpath_mss; add chain inet slowpath_mss clamp { type filter hook "
    "forward "
    "priority mangle; }; add rule inet slowpath_mss clamp tcp flags & (syn | rst) == syn tcp "
    "option "
    "maxseg size set rt mtu'";
constexpr std::string_view kUnclampMss = "nft delete table inet slowpath_mss";

constexpr RemedyStep kPmtudBlackhole[] = {
    look(linux, path, "tracepath -n DST, to find the hop after which large packets vanish",
         "tracepath(8)"),
    unsure(any, gateway,
           "Let ICMP type 3 code 4 and ICMPv6 type 2 pass every firewall between that hop and the "
           "sender",
           "remove the rule that was added", "RFC 2979 section 3.1.1; RFC 4890 section 4.3.1"),
    change(linux, gateway, kClampMss, kUnclampMss,
           "nft(8), tcp option; iptables-extensions(8), TCPMSS, is the older way"),
    change(linux, sender, "sysctl -w net.ipv4.tcp_mtu_probing=1",
           "sysctl -w net.ipv4.tcp_mtu_probing=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_mtu_probing`",
           "kernel ip-sysctl.rst; RFC 4821"),
    change(
        linux, sender,
        "ip route replace DST via GATEWAY dev DEV mtu NEW, with NEW the largest size that passed",
        "ip route replace OLD, with the route that `ip route show DST` printed before (ip route "
        "del DST if there was none)",
        "ip-route(8)"),
    unsure(windows, sender,
           "Set the registry value EnablePMTUBHDetect=1 (DWORD) under "
           "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters and restart",
           "delete the value, or set the one noted before, and restart",
           "Microsoft: TCP/IP registry values"),
    change(windows, sender,
           "netsh interface ipv4 set subinterface \"NIC\" mtu=NEW store=persistent",
           "netsh interface ipv4 set subinterface \"NIC\" mtu=OLD store=persistent; note the old "
           "value first with `netsh interface ipv4 show subinterfaces`",
           "Microsoft Learn: netsh interface ipv4"),
    unsure(solaris, sender, "ndd -set /dev/ip ip_path_mtu_discovery 0",
           "ndd -set /dev/ip ip_path_mtu_discovery 1",
           "Oracle Solaris Tunable Parameters Reference"),
    look(esxi, path,
         "esxcli network vswitch standard list and esxcli network ip interface list: the MTU must "
         "be the same on the virtual switch, its ports and the physical switch",
         "VMware: esxcli network reference"),
    unsure(cloud, gateway,
           "On an Azure VPN gateway's far end set the tunnel MTU to 1400 and clamp the MSS to 1350",
           "set the MTU and MSS noted before",
           "Microsoft Learn: VPN Gateway, IPsec/IKE parameters"),
};

constexpr RemedyStep kIcmpFiltered[] = {
    look(linux, gateway,
         "nft list ruleset (or iptables -vnL): find the rule whose counter rises while the "
         "transfer stalls",
         "nft(8); iptables(8)"),
    change(linux, gateway, "iptables -I FORWARD -p icmp --icmp-type fragmentation-needed -j ACCEPT",
           "iptables -D FORWARD -p icmp --icmp-type fragmentation-needed -j ACCEPT",
           "iptables-extensions(8), icmp; RFC 2979 section 3.1.1"),
    change(linux, gateway,
           "ip6tables -I FORWARD -p icmpv6 --icmpv6-type packet-too-big -j ACCEPT, for IPv6",
           "ip6tables -D FORWARD -p icmpv6 --icmpv6-type packet-too-big -j ACCEPT",
           "ip6tables-extensions(8), icmp6; RFC 4890 section 4.3.1"),
    change(linux, sender,
           "iptables -I INPUT -p icmp --icmp-type fragmentation-needed -j ACCEPT, where the "
           "sender's own firewall drops it",
           "iptables -D INPUT -p icmp --icmp-type fragmentation-needed -j ACCEPT",
           "iptables-extensions(8), icmp"),
    change(windows, sender,
           "New-NetFirewallRule -DisplayName slowpath-fragneeded -Direction Inbound -Protocol "
           "ICMPv4 -IcmpType 3:4 -Action Allow",
           "Remove-NetFirewallRule -DisplayName slowpath-fragneeded",
           "Microsoft Learn: New-NetFirewallRule"),
    unsure(solaris, sender,
           "Add a rule to ipf or pf that passes ICMP unreachable, code needfrag, inward",
           "remove the rule and load the rules again", "ipf(5); pf.conf(7)"),
    unsure(esxi, sender,
           "esxcli network firewall ruleset list, and allow ICMP where a rule set denies it",
           "set the rule set back as it was listed", "VMware: esxcli network firewall"),
    unsure(cloud, gateway,
           "Add a rule to the security group and network ACL that allows ICMP type 3 code 4 inward",
           "remove the rule", "AWS: path MTU discovery and security groups"),
};

constexpr RemedyStep kJumboMismatch[] = {
    look(linux, both_ends,
         "ping -M do -s 8972 -c 3 DST, and the same from the other end: only probes with DF prove "
         "that jumbo frames pass",
         "ping(8), -M do"),
    look(linux, both_ends,
         "ip link show DEV, and the MTU of every switch port between: find the one that differs",
         "ip-link(8)"),
    change(linux, sender,
           "ip link set dev DEV mtu 1500, until every device on the segment carries 9000",
           "ip link set dev DEV mtu 9000", "ip-link(8)"),
    change(linux, receiver, "ip link set dev DEV mtu 9000, where this end is the one left at 1500",
           "ip link set dev DEV mtu 1500", "ip-link(8)"),
    unsure(windows, both_ends,
           "Set-NetAdapterAdvancedProperty -Name NIC -DisplayName 'Jumbo Packet' -DisplayValue "
           "NEW, the values depend on the driver",
           "Set-NetAdapterAdvancedProperty -Name NIC -DisplayName 'Jumbo Packet' -DisplayValue "
           "OLD; note the old value first with `Get-NetAdapterAdvancedProperty -Name NIC`",
           "Microsoft Learn: Set-NetAdapterAdvancedProperty"),
    unsure(solaris, both_ends,
           "dladm set-linkprop -p mtu=9000 LINK, if the driver's configuration (MaxFrameSize) "
           "allows it",
           "dladm set-linkprop -p mtu=OLD LINK; note the old value first with `dladm show-linkprop "
           "-p mtu LINK`",
           "dladm(8)"),
    look(esxi, both_ends, "vmkping -d -s 8972 DST", "VMware KB 1003728"),
    change(esxi, path, "esxcli network vswitch standard set -m 9000 -v VSWITCH",
           "esxcli network vswitch standard set -m 1500 -v VSWITCH",
           "VMware: esxcli network vswitch standard set"),
    look(cloud, both_ends,
         "Count on 1500 bytes or less for traffic that leaves the virtual network",
         "AWS: network MTU for your EC2 instance"),
};

constexpr RemedyStep kMtuNeedlesslySmall[] = {
    look(linux, both_ends,
         "ip link show DEV, and ip route get DST: look for a small MTU on the device or an advmss "
         "on the route",
         "ip-link(8); ip-route(8)"),
    change(linux, receiver,
           "ip link set dev DEV mtu NEW, with NEW the largest size that a DF probe passed",
           "ip link set dev DEV mtu OLD; note the old value first with `ip link show DEV`",
           "ip-link(8)"),
    change(linux, receiver,
           "ip route replace ROUTE without its advmss, where the route carries one",
           "ip route replace OLD, with the route that `ip route show` printed before",
           "ip-route(8), advmss"),
    change(windows, both_ends,
           "netsh interface ipv4 set subinterface \"NIC\" mtu=NEW store=persistent",
           "netsh interface ipv4 set subinterface \"NIC\" mtu=OLD store=persistent; note the old "
           "value first with `netsh interface ipv4 show subinterfaces`",
           "Microsoft Learn: netsh interface ipv4"),
    unsure(solaris, both_ends, "dladm set-linkprop -p mtu=NEW LINK",
           "dladm set-linkprop -p mtu=OLD LINK; note the old value first with `dladm show-linkprop "
           "-p mtu LINK`",
           "dladm(8)"),
};

constexpr RemedyStep kMssRewritten[] = {
    look(
        any, gateway,
        "Leave the rule alone if the new MSS fits the path (path MTU - 40 for IPv4, - 60 for IPv6)",
        "RFC 4459; iptables-extensions(8), TCPMSS"),
    change(linux, gateway,
           "Add the same clamp for the other direction where only one is clamped: iptables -t "
           "mangle -A FORWARD -i DEV -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu",
           "iptables -t mangle -D FORWARD -i DEV -p tcp --tcp-flags SYN,RST SYN -j TCPMSS "
           "--clamp-mss-to-pmtu",
           "iptables-extensions(8), TCPMSS"),
    look(cloud, gateway, "Expect 1350 through an Azure VPN gateway; it is set on purpose",
         "Microsoft Learn: VPN Gateway, IPsec/IKE parameters"),
};

constexpr RemedyStep kMssNotClamped[] = {
    change(linux, gateway, kClampMss, kUnclampMss,
           "nft(8), tcp option; iptables-extensions(8), TCPMSS, is the older way"),
    change(
        linux, gateway,
        "ip link set dev TUNNEL mtu NEW, with NEW = MTU of the path below - overhead of the tunnel",
        "ip link set dev TUNNEL mtu OLD; note the old value first with `ip link show TUNNEL`",
        "ip-link(8); RFC 4459"),
    change(linux, sender,
           "sysctl -w net.ipv4.tcp_mtu_probing=1, where the gateway cannot be changed",
           "sysctl -w net.ipv4.tcp_mtu_probing=OLD; note the old value first with `sysctl "
           "net.ipv4.tcp_mtu_probing`",
           "kernel ip-sysctl.rst; RFC 4821"),
    change(windows, client,
           "netsh interface ipv4 set subinterface \"VPN\" mtu=NEW store=persistent",
           "netsh interface ipv4 set subinterface \"VPN\" mtu=OLD store=persistent; note the old "
           "value first with `netsh interface ipv4 show subinterfaces`",
           "Microsoft Learn: netsh interface ipv4"),
    unsure(solaris, client, "route change DST -mtu NEW",
           "route change DST -mtu OLD; note the old value first with `route get DST`", "route(8)"),
    unsure(cloud, gateway,
           "On an Azure VPN gateway's far end set the tunnel MTU to 1400 and clamp the MSS to 1350",
           "set the MTU and MSS noted before",
           "Microsoft Learn: VPN Gateway, IPsec/IKE parameters"),
};

constexpr RemedyStep kIcmpBogusMtu[] = {
    look(linux, sender,
         "ip route get DST: shows the path MTU that the message planted, and when it expires",
         "ip-route(8)"),
    change(linux, sender, "ip route flush cache",
           "not needed: the kernel learns the cached path MTU again", "ip-route(8)"),
    look(linux, sender,
         "sysctl net.ipv4.route.min_pmtu: the kernel's floor against such claims, 552 unless "
         "changed",
         "kernel ip-sysctl.rst, min_pmtu"),
    look(any, path,
         "Find the device whose address is the message's source, and report it to whoever runs it",
         "RFC 5927 section 7"),
    change(windows, sender, "netsh interface ipv4 delete destinationcache",
           "not needed: Windows learns the cached path MTU again",
           "Microsoft Learn: netsh interface ipv4"),
    unsure(solaris, sender, "route delete DST, for the host route that holds the planted MTU",
           "route add DST GATEWAY, as `route get DST` showed it before", "route(8)"),
};

constexpr RemedyStep kPmtuStuckLow[] = {
    look(linux, sender,
         "ip route get DST: a line with \"mtu N expires\" is the memory that holds the size down",
         "ip-route(8)"),
    change(linux, sender, "ip route flush cache",
           "not needed: the kernel learns the cached path MTU again", "ip-route(8)"),
    change(linux, sender, "ip tcp_metrics delete DST",
           "not needed: the kernel learns the metrics again", "ip-tcp_metrics(8)"),
    change(windows, sender, "netsh interface ipv4 delete destinationcache",
           "not needed: Windows learns the cached path MTU again",
           "Microsoft Learn: netsh interface ipv4"),
    unsure(solaris, sender, "route delete DST, for the host route that holds the old MTU",
           "route add DST GATEWAY, as `route get DST` showed it before", "route(8)"),
};

constexpr RemedyStep kFragmentsDropped[] = {
    look(linux, receiver,
         "nstat -az IpReasmTimeout IpReasmFails IpReasmReqds, before and after: rising failures "
         "show that fragments are missing",
         "nstat(8)"),
    change(linux, sender,
           "sysctl -w net.ipv4.ip_no_pmtu_disc=0, so that TCP sends with DF and needs no fragments",
           "sysctl -w net.ipv4.ip_no_pmtu_disc=OLD; note the old value first with `sysctl "
           "net.ipv4.ip_no_pmtu_disc`",
           "kernel ip-sysctl.rst; RFC 8900 section 6"),
    change(linux, gateway,
           "ip link set dev TUNNEL mtu NEW, small enough that its packets need no fragments",
           "ip link set dev TUNNEL mtu OLD; note the old value first with `ip link show TUNNEL`",
           "ip-link(8); RFC 4459"),
    look(linux, gateway, "nft list ruleset: find the rule that drops fragments",
         "nft(8); RFC 8900"),
    change(linux, receiver,
           "sysctl -w net.ipv4.ipfrag_high_thresh=NEW, if IpReasmFails rises with full memory",
           "sysctl -w net.ipv4.ipfrag_high_thresh=OLD; note the old value first with `sysctl "
           "net.ipv4.ipfrag_high_thresh`",
           "kernel ip-sysctl.rst"),
    change(windows, sender,
           "netsh interface ipv4 set subinterface \"NIC\" mtu=NEW store=persistent",
           "netsh interface ipv4 set subinterface \"NIC\" mtu=OLD store=persistent; note the old "
           "value first with `netsh interface ipv4 show subinterfaces`",
           "Microsoft Learn: netsh interface ipv4"),
    unsure(solaris, sender, "dladm set-linkprop -p mtu=NEW LINK",
           "dladm set-linkprop -p mtu=OLD LINK; note the old value first with `dladm show-linkprop "
           "-p mtu LINK`",
           "dladm(8)"),
    unsure(esxi, sender, "Lower the MTU inside the guest until its packets need no fragments",
           "set the MTU noted before", "RFC 8900 section 6"),
    look(cloud, path,
         "Expect Azure to drop fragments that arrive out of order; avoid fragments altogether",
         "Microsoft Learn: TCP/IP performance tuning for Azure VMs"),
};

constexpr RemedyStep kFragmentsOooDropped[] = {
    change(linux, sender,
           "ip link set dev DEV mtu 1400, or the largest size that leaves room for the tunnel on "
           "the way, so that no fragments arise",
           "ip link set dev DEV mtu OLD; note the old value first with `ip link show DEV`",
           "ip-link(8); Microsoft Learn: TCP/IP performance tuning for Azure VMs"),
    look(cloud, sender,
         "Leave the virtual machine's MTU at its default; a larger one is fragmented on the way",
         "Microsoft Learn: TCP/IP performance tuning for Azure VMs"),
};

constexpr Fault kFaults[] = {
    {.id = "pmtud-blackhole",
     .name = "Full-size packets vanish and nobody says so",
     .family = Family::mtu,
     .specialises = "rto-dominated",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender =
         "The handshake and small packets are fine. The first full-size segment with DF is never "
         "acknowledged and is resent at the same length after 1, 2, 4 ... timeouts, without any "
         "ICMP \"fragmentation needed\" or \"packet too big\". Where the sender probes for a black "
         "hole, a smaller size is later acknowledged at once.",
     .at_receiver = "Small segments arrive, with a hole at the first full-size one; duplicate ACKs "
                    "or SACKs answer the small ones behind it.",
     .at_midpath = "The frame reaches one hop and does not leave it, and no ICMP is sent.",
     .at_host = "TCPTimeouts, TCPMTUPSuccess or TCPMTUPFail rise; ip route get shows no cached "
                "path MTU; often there is a tunnel in the path.",
     .active = "Probes with DF show a sharp edge: every size up to X passes and every size above "
               "it fails, whatever the rate. Send ten on each side of the edge.",
     .told_apart_by =
         "Loss by congestion (`congestion-self`) hits all sizes, and packets of the same size "
         "succeed later. A size is proved good if any packet of that size or more is acknowledged "
         "later; detectors that ignore this see black holes on clean paths. With "
         "`lso-not-segmented` frames of one MSS pass; with `jumbo-mismatch` the peer is on the "
         "same link; with `mss-not-clamped` the edge is that of a tunnel.",
     .minimum_evidence = "Three or more losses of one size class, a success of a smaller size "
                         "between them and none at that size or above; or a sweep with DF.",
     .remedies = kPmtudBlackhole,
     .references = "RFC 2923; RFC 4821; RFC 8899; Luckie, Cho and Owens 2005; esnet/iperf#955; "
                   "quinn-rs/quinn#2791; aws/s2n-quic#1680"},
    {.id = "icmp-filtered",
     .name = "The router reports the MTU but a firewall eats the report",
     .family = Family::mtu,
     .specialises = "pmtud-blackhole",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "As with a black hole: full-size segments are resent at the same length and no "
                  "ICMP arrives.",
     .at_receiver = "As with a black hole: small segments arrive, full-size ones do not.",
     .at_midpath = "ICMP type 3 code 4 (ICMPv6 type 2) is seen on the router's side of the "
                   "firewall and is absent on the sender's side.",
     .at_host = "A firewall's counter of dropped ICMP rises.",
     .active = "tracepath learns no MTU beyond the hop after the router.",
     .told_apart_by = "Only a capture between router and filter separates it from "
                      "`pmtud-blackhole`, where nobody sends an ICMP at all.",
     .minimum_evidence = "The ICMP seen at one point and absent at the sender.",
     .remedies = kIcmpFiltered,
     .references = "RFC 2979; RFC 4890; perfsonar/pscheduler#1551"},
    {.id = "jumbo-mismatch",
     .name = "One device on the same L2 segment does not carry jumbo frames",
     .family = Family::mtu,
     .specialises = "pmtud-blackhole",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "An MSS of 8960 or so is agreed. Full frames vanish, frames of 1500 bytes pass, "
                  "and no ICMP comes, because the peer is in the same subnet.",
     .at_receiver = "rx_length_errors or the count of giants rises.",
     .at_midpath = "A switch port drops giants.",
     .at_host = "The MTU is 9000 on the hosts and 1500 on a virtual switch, a switch or the peer. "
                "ifInErrors, rx_over_errors or rx_length_errors rise.",
     .active =
         "A ping with DF and 8972 bytes fails, one with 1472 passes. Test both directions apart.",
     .told_apart_by = "In a `pmtud-blackhole` the path is routed and the TTL falls; here the peer "
                      "is on the link. A probe without DF proves nothing: it passes in fragments.",
     .minimum_evidence = "A sweep with DF in both directions, and the MTU of both ends.",
     .remedies = kJumboMismatch,
     .references = "perfsonar/pscheduler#449, #1107; cisagov/cool-system#15"},
    {.id = "mtu-needlessly-small",
     .name = "MTU or MSS far below what the path carries",
     .family = Family::mtu,
     .specialises = "",
     .proved_by = ProvedBy::host_facts,
     .max_severity = Severity::fault,
     .at_sender = "Segments carry 536 bytes (or 1220) although the path carries 1460.",
     .at_receiver = "The same small segments arrive.",
     .at_midpath = "",
     .at_host = "An MTU of 576 or 1280 was left over, the MSS option is missing (which means 536), "
                "or Windows fell back to 536 after it suspected a black hole.",
     .active = "A sweep with DF passes sizes far above the MSS in use.",
     .told_apart_by = "With a deliberate clamp for a tunnel (`mss-rewritten`) the edge of the "
                      "sweep equals the clamp. With `pmtu-stuck-low` the MSS in the SYN is large.",
     .minimum_evidence = "The handshake and a sweep with DF.",
     .remedies = kMtuNeedlesslySmall,
     .references = "RFC 9293 section 3.7.1; RFC 879"},
    {.id = "mss-rewritten",
     .name = "A middlebox changes the MSS option",
     .family = Family::mtu,
     .specialises = "",
     .proved_by = ProvedBy::two_captures,
     .max_severity = Severity::fault,
     .at_sender = "The SYN leaves with one MSS, for example 1460.",
     .at_receiver = "The SYN arrives with another, for example 1350.",
     .at_midpath = "The value changes between two hops, and the checksum is updated.",
     .at_host = "A firewall rule or a VPN gateway rewrites the MSS.",
     .active = "A walk with rising TTL that reads the quoted SYN shows the hop.",
     .told_apart_by =
         "Harmless if the new value is at most the path MTU less 40; harmful if it was raised, or "
         "if only one direction is clamped, which then looks like `mss-not-clamped`.",
     .minimum_evidence = "The SYN at both ends, or as quoted in an ICMP.",
     .remedies = kMssRewritten,
     .references = "Detal and others 2013 (tracebox); ndt-project/ndt#8"},
    {.id = "mss-not-clamped",
     .name = "Tunnel lowers the MTU but neither clamping nor ICMP tells the ends",
     .family = Family::mtu,
     .specialises = "pmtud-blackhole",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender =
         "An MSS of 1460 is used on a path whose edge lies below 1500 by the overhead of a tunnel.",
     .at_receiver =
         "Large first messages stall, such as a TLS ClientHello of two segments; small ones work.",
     .at_midpath =
         "The encapsulated packet exceeds the MTU of the path below and is dropped or fragmented.",
     .at_host = "There is a WireGuard, IPsec or VXLAN device and no rule that clamps the MSS.",
     .active = "The edge of a sweep with DF is 1500 less the overhead: WireGuard 60 or 80, VXLAN "
               "50, GRE 24, IPsec 56 to 73, PPPoE 8.",
     .told_apart_by = "The same edge without a tunnel is a `pmtud-blackhole` elsewhere.",
     .minimum_evidence = "The edge of a sweep with DF, and the kind of tunnel.",
     .remedies = kMssNotClamped,
     .references = "RFC 4459; Start9Labs/start-technologies#3308, #3262; passteque/gluetun#1650; "
                   "microsoft/WSL#4994; skycoin/skywire#3549"},
    {.id = "icmp-bogus-mtu",
     .name = "ICMP 'too big' carries an impossible MTU",
     .family = Family::mtu,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "The next-hop MTU is 0, below 68 (IPv4) or 1280 (IPv6), or not smaller than the "
                  "quoted packet; or the quoted sequence number is not in flight.",
     .at_receiver = "",
     .at_midpath = "The source of the ICMP is not on the path.",
     .at_host = "OutOfWindowIcmps rises.",
     .active = "The edge of a sweep with DF contradicts the claim.",
     .told_apart_by = "An MTU of 0 comes from a router older than RFC 1191: use the plateau table. "
                      "A quoted length of k x MSS above every frame sent is "
                      "`icmp-fragneeded-coalesced`. A wrong sequence number means forged or stale.",
     .minimum_evidence = "The ICMP packet.",
     .remedies = kIcmpBogusMtu,
     .references = "RFC 1191 section 7; RFC 5927; RFC 8201"},
    {.id = "pmtu-stuck-low",
     .name = "An old low path MTU is remembered",
     .family = Family::mtu,
     .specialises = "",
     .proved_by = ProvedBy::host_facts,
     .max_severity = Severity::fault,
     .at_sender = "All segments are small although the MSS in the SYN is large, and the capture "
                  "holds no ICMP that explains it.",
     .at_receiver = "Small segments arrive.",
     .at_midpath = "",
     .at_host = "ip route get DST shows \"mtu N expires\"; Linux keeps it for 600 s.",
     .active = "A new connection from another host uses full-size segments.",
     .told_apart_by = "A clamp for a tunnel (`mss-rewritten`) changes the SYN; this does not. With "
                      "`mtu-needlessly-small` the SYN itself carries a small MSS. Messages of one "
                      "size, one at a time, are not cut.",
     .minimum_evidence = "A capture and the sender's route cache.",
     .remedies = kPmtuStuckLow,
     .references = "RFC 1191 section 6.3"},
    {.id = "fragments-dropped",
     .name = "IP fragments are filtered or black-holed",
     .family = Family::mtu,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "DF is clear and fragments leave.",
     .at_receiver = "Only the first fragment arrives, or none. IpReasmTimeout or IpReasmFails "
                    "rise, and ICMP type 11 code 1 is sent.",
     .at_midpath = "Fragments vanish at a firewall or load balancer.",
     .at_host = "A firewall rule drops fragments, or the memory for reassembly is too small.",
     .active = "UDP or ICMP above the MTU without DF fails; up to the MTU it passes.",
     .told_apart_by = "If the same size with DF brings an ICMP, path MTU discovery works and only "
                      "fragments are filtered; if not, see `pmtud-blackhole`. A capture filter by "
                      "ports keeps first fragments of UDP alone: where nothing without ports was "
                      "captured, this is a suspect at most. What the receiver acknowledges "
                      "arrived, wherever the capture has it.",
     .minimum_evidence = "The receiver's counters or a capture there.",
     .remedies = kFragmentsDropped,
     .references = "RFC 8900; cilium/cilium#9894"},
    {.id = "fragments-ooo-dropped",
     .name = "Fragments arriving in another order are thrown away",
     .family = Family::mtu,
     .specialises = "fragments-dropped",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "Fragments leave in order.",
     .at_receiver = "Only packets whose fragments were reordered are lost.",
     .at_midpath = "Fragments change their order and are then dropped.",
     .at_host =
         "A hardening against fragment floods (FragmentSmack), as in Azure's virtual switch.",
     .active = "The loss of large UDP packets grows with parallel flows over several paths.",
     .told_apart_by =
         "With `fragments-dropped` the loss is total; here it is in proportion to the reordering.",
     .minimum_evidence = "Captures on both sides of the switch or host that drops.",
     .remedies = kFragmentsOooDropped,
     .references =
         "CVE-2018-5391 (FragmentSmack); Microsoft Learn: TCP/IP performance tuning for Azure VMs"},
};

}  // namespace

std::span<const Fault> mtu_faults() { return kFaults; }

}  // namespace slowpath::catalogue
