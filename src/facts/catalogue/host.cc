// SPDX-License-Identifier: Apache-2.0
// Faults of the family "host": applications, processors, drivers.
#include "facts/catalogue/families.h"

namespace slowpath::catalogue {
namespace {

using enum Platform;
using enum Role;

constexpr RemedyStep kAppLimitedSender[] = {
    look(linux, sender,
         "ss -ti dst RECEIVER, during the transfer: app_limited and notsent:0 confirm that the "
         "application has nothing to send",
         "ss(8)"),
    look(linux, sender,
         "Read the source to nowhere (dd if=FILE of=/dev/null bs=1M) and compare the rate; iostat "
         "-x 1 shows the disk",
         "dd(1); iostat(1)"),
    reprogram(
        any, sender,
        "Let the application read ahead in larger blocks, and prepare the next one while this one "
        "is sent",
        "RFC 6349 section 3"),
    look(esxi, sender, "esxtop, disk view: a device latency of tens of milliseconds is the source",
         "VMware: esxtop documentation"),
    unsure(cloud, sender, "Take a disk tier with more throughput",
           "go back to the tier noted before", "the provider's table of disks"),
};

constexpr RemedyStep kAppPingPong[] = {
    reprogram(any, client,
              "Ask for larger blocks, or for several at once (pipelining, parallel requests)",
              "RFC 6349"),
    reprogram(
        linux, client,
        "For SSH copies use rsync or several sessions; OpenSSH's channel window of 2 MB limits "
        "one session on long paths",
        "OpenSSH channels.h; HPN-SSH"),
    change(windows, client, "Set-SmbClientConfiguration -EnableMultiChannel $true",
           "Set-SmbClientConfiguration -EnableMultiChannel OLD; note the old value first with "
           "`Get-SmbClientConfiguration`",
           "Microsoft Learn: Set-SmbClientConfiguration"),
    change(windows, client, "Set-SmbClientConfiguration -EnableLargeMtu $true",
           "Set-SmbClientConfiguration -EnableLargeMtu OLD; note the old value first with "
           "`Get-SmbClientConfiguration`",
           "Microsoft Learn: Set-SmbClientConfiguration"),
    unsure(solaris, client,
           "Mount with a larger block: mount -F nfs -o rsize=1048576,wsize=1048576 SERVER:PATH "
           "MOUNTPOINT",
           "mount again with the sizes that `nfsstat -m` printed before", "mount_nfs(8)"),
};

constexpr RemedyStep kNagleDelack[] = {
    reprogram(
        any, sender,
        "Let the application write each message whole, in one call (writev), instead of header "
        "and body apart",
        "RFC 896; RFC 1122 section 4.2.3.4"),
    reprogram(any, sender, "Set TCP_NODELAY on the application's socket", "tcp(7), TCP_NODELAY"),
    change(linux, receiver, "ip route change ROUTE quickack 1",
           "ip route change ROUTE quickack 0, with ROUTE as `ip route show` prints it",
           "ip-route(8), quickack"),
    change(windows, receiver, "Set-NetTCPSetting -SettingName TEMPLATE -DelayedAckFrequency 1",
           "Set-NetTCPSetting -SettingName TEMPLATE -DelayedAckFrequency OLD; note the old value "
           "first with `Get-NetTCPSetting`",
           "Microsoft Learn: Set-NetTCPSetting"),
    unsure(windows, receiver,
           "Set the registry value TcpAckFrequency=1 (DWORD) under "
           "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters\\Interfaces\\GUID and "
           "restart, on releases without that cmdlet",
           "delete the value, or set the one noted before, and restart",
           "Microsoft: TcpAckFrequency registry entry"),
    unsure(solaris, sender, "ipadm set-prop -p _naglim_def=1 tcp",
           "ipadm set-prop -p _naglim_def=OLD tcp; note the old value first with `ipadm show-prop "
           "-p _naglim_def tcp`",
           "Oracle Solaris Tunable Parameters Reference"),
    unsure(solaris, receiver, "ipadm set-prop -p _deferred_acks_max=1 tcp",
           "ipadm set-prop -p _deferred_acks_max=OLD tcp; note the old value first with `ipadm "
           "show-prop -p _deferred_acks_max tcp`",
           "Oracle Solaris Tunable Parameters Reference"),
};

constexpr RemedyStep kDelackSingleSegment[] = {
    look(any, sender,
         "Find out why only one segment is in flight: after timeouts look at their cause "
         "(`rto-dominated`), else at the sizes that the application writes",
         "RFC 5681 section 4.2"),
    change(linux, receiver, "ip route change ROUTE quickack 1",
           "ip route change ROUTE quickack 0, with ROUTE as `ip route show` prints it",
           "ip-route(8), quickack"),
    unsure(windows, receiver, "Set-NetTCPSetting -SettingName TEMPLATE -DelayedAckTimeoutMs 10",
           "Set-NetTCPSetting -SettingName TEMPLATE -DelayedAckTimeoutMs OLD; note the old value "
           "first with `Get-NetTCPSetting`",
           "Microsoft Learn: Set-NetTCPSetting"),
    unsure(solaris, receiver, "ipadm set-prop -p _deferred_ack_interval=NEW tcp, shorter",
           "ipadm set-prop -p _deferred_ack_interval=OLD tcp; note the old value first with `ipadm "
           "show-prop -p _deferred_ack_interval tcp`",
           "Oracle Solaris Tunable Parameters Reference"),
};

constexpr RemedyStep kSenderCpuLimited[] = {
    look(linux, sender,
         "mpstat -P ALL 1 and ss -ti dst RECEIVER, during the transfer: one core at 100 %, or a "
         "pacing_rate near the rate seen?",
         "mpstat(1); ss(8)"),
    change(linux, sender, "ethtool -K DEV tso on", "ethtool -K DEV tso off", "ethtool(8), -K tso"),
    reprogram(
        any, sender,
        "Let the application write larger blocks, use sendfile, or spread its work over several "
        "threads",
        "sendfile(2)"),
    change(linux, sender,
           "echo CPUS > /proc/irq/IRQ/smp_affinity_list, so that interrupts and application use "
           "different cores",
           "echo OLD > /proc/irq/IRQ/smp_affinity_list; note the old value first with `cat "
           "/proc/irq/IRQ/smp_affinity_list`",
           "kernel irq-affinity.rst"),
    change(windows, sender, "Enable-NetAdapterRss -Name NIC", "Disable-NetAdapterRss -Name NIC",
           "Microsoft Learn: Enable-NetAdapterRss"),
    unsure(solaris, sender, "ndd -set /dev/ip ip_lso_outbound 1",
           "ndd -set /dev/ip ip_lso_outbound 0", "Oracle Solaris Tunable Parameters Reference"),
    unsure(esxi, sender, "Give the machine one more virtual CPU, if it uses all it has",
           "take it away again", "VMware: performance best practices"),
    unsure(cloud, sender,
           "Switch the provider's accelerated networking (SR-IOV) on for the machine's interface",
           "switch it off again", "Microsoft Learn: Accelerated Networking overview"),
};

constexpr RemedyStep kReceiverCpuDrops[] = {
    look(linux, receiver,
         "ethtool -S DEV and cat /proc/net/softnet_stat, before and after: ring overruns (missed, "
         "no_buffer), drops or time_squeeze?",
         "ethtool(8), -S; kernel scaling.rst"),
    change(linux, receiver, "ethtool -G DEV rx 4096, if the NIC's ring overruns",
           "ethtool -G DEV rx OLD; note the old value first with `ethtool -g DEV`",
           "ethtool(8), -G"),
    change(linux, receiver, "ethtool -L DEV combined N, if one queue does all the work",
           "ethtool -L DEV combined OLD; note the old value first with `ethtool -l DEV`",
           "ethtool(8), -L; kernel scaling.rst"),
    change(linux, receiver,
           "sysctl -w net.core.netdev_max_backlog=NEW, if softnet_stat counts drops",
           "sysctl -w net.core.netdev_max_backlog=OLD; note the old value first with `sysctl "
           "net.core.netdev_max_backlog`",
           "kernel sysctl/net.rst"),
    change(linux, receiver,
           "echo MASK > /sys/class/net/DEV/queues/rx-0/rps_cpus, if the NIC has one queue only",
           "echo OLD > /sys/class/net/DEV/queues/rx-0/rps_cpus; note the old value first with "
           "`cat` of that file",
           "kernel scaling.rst, RPS"),
    unsure(windows, receiver,
           "Set-NetAdapterAdvancedProperty -Name NIC -DisplayName 'Receive Buffers' -DisplayValue "
           "NEW, the name depends on the driver",
           "Set-NetAdapterAdvancedProperty -Name NIC -DisplayName 'Receive Buffers' -DisplayValue "
           "OLD; note the old value first with `Get-NetAdapterAdvancedProperty -Name NIC`",
           "Microsoft Learn: Set-NetAdapterAdvancedProperty"),
    change(windows, receiver, "Enable-NetAdapterRss -Name NIC", "Disable-NetAdapterRss -Name NIC",
           "Microsoft Learn: Enable-NetAdapterRss"),
    unsure(solaris, receiver,
           "Raise the receive ring's size in the driver's properties; dladm show-linkprop LINK "
           "lists them",
           "set the property back to the value noted before", "dladm(8)"),
    unsure(esxi, receiver,
           "Raise the receive ring (Rx Ring #1 Size) of the vmxnet3 driver inside the guest",
           "set the size noted before", "VMware KB 2039495"),
    unsure(cloud, receiver, "Take a machine size with more virtual CPUs",
           "go back to the size noted before", "the provider's table of sizes"),
};

constexpr RemedyStep kRssOneQueue[] = {
    look(linux, receiver,
         "grep DEV /proc/interrupts, twice during the load: does one queue do all the work?",
         "proc(5); kernel scaling.rst"),
    change(linux, receiver, "ethtool -L DEV combined N, with N up to the number of cores",
           "ethtool -L DEV combined OLD; note the old value first with `ethtool -l DEV`",
           "ethtool(8), -L"),
    change(linux, receiver, "ethtool -X DEV equal N, if the table sends all flows to one queue",
           "ethtool -X DEV weight OLD...; note the old table first with `ethtool -x DEV` (ethtool "
           "-X DEV default if it was untouched)",
           "ethtool(8), -X"),
    change(linux, receiver, "ethtool -N DEV rx-flow-hash udp4 sdfn, for tunnels over UDP",
           "ethtool -N DEV rx-flow-hash udp4 OLD; note the old value first with `ethtool -n DEV "
           "rx-flow-hash udp4`",
           "ethtool(8), -N rx-flow-hash"),
    change(linux, receiver,
           "echo MASK > /sys/class/net/DEV/queues/rx-0/rps_cpus, if the NIC has one queue only",
           "echo OLD > /sys/class/net/DEV/queues/rx-0/rps_cpus; note the old value first with "
           "`cat` of that file",
           "kernel scaling.rst, RPS"),
    change(windows, receiver, "Enable-NetAdapterRss -Name NIC", "Disable-NetAdapterRss -Name NIC",
           "Microsoft Learn: Enable-NetAdapterRss"),
    change(windows, receiver, "netsh int tcp set global rss=enabled",
           "netsh int tcp set global rss=OLD; note the old value first with `netsh int tcp show "
           "global`",
           "Microsoft Learn: netsh interface tcp"),
    unsure(solaris, receiver, "dladm set-linkprop -p rxfanout=N LINK",
           "dladm reset-linkprop -p rxfanout LINK", "dladm(8)"),
    unsure(esxi, receiver, "Switch RSS on in the vmxnet3 driver inside the guest",
           "switch it off again", "VMware: performance best practices, vmxnet3 RSS"),
    unsure(cloud, receiver,
           "Switch the provider's accelerated networking on, and RSS inside the guest",
           "switch it off again", "Microsoft Learn: Accelerated Networking overview"),
};

constexpr RemedyStep kCpuSteal[] = {
    look(linux, sender, "mpstat 1, during the transfer: %steal above a few percent is the fault",
         "mpstat(1); proc(5), /proc/stat"),
    look(esxi, both_ends, "esxtop, CPU view: %RDY above 5 for one virtual CPU is the fault",
         "VMware: esxtop documentation"),
    unsure(esxi, both_ends, "Reserve CPU for the machine", "take the reservation away",
           "VMware: vSphere Resource Management"),
    unsure(esxi, both_ends, "Give the machine fewer virtual CPUs, if it does not use them all",
           "give it the number noted before", "VMware: performance best practices"),
    unsure(cloud, both_ends, "Take a machine size that is not of the burstable kind",
           "go back to the size noted before", "the provider's table of sizes"),
};

constexpr RemedyStep kWrongDriver[] = {
    look(linux, both_ends,
         "ethtool -i DEV and modinfo DRIVER: compare driver and version with the kernel in use and "
         "the vendor's list",
         "ethtool(8), -i; modinfo(8)"),
    unsure(linux, both_ends, "Install the driver that the vendor names for this kernel",
           "install the version noted before", "the NIC vendor's compatibility list"),
    unsure(windows, both_ends, "Update the NIC's driver (pnputil /add-driver FILE.inf /install)",
           "roll the driver back in Device Manager; note the version first with `Get-NetAdapter | "
           "Format-List Name,DriverVersion`",
           "Microsoft Learn: pnputil"),
    unsure(solaris, both_ends,
           "Install the VMware Tools again and see that the driver is the one for this Solaris "
           "release",
           "install the earlier package; note its version first", "VMware Tools release notes"),
    unsure(esxi, both_ends, "Change the machine's virtual NIC from E1000 to VMXNET3",
           "change back to the type noted before", "VMware KB 1001805"),
    unsure(cloud, both_ends, "Install the provider's own NIC driver (ENA, MANA, gVNIC)",
           "remove it again", "the provider's network driver pages"),
};

constexpr RemedyStep kServerThinkTime[] = {
    look(any, server,
         "Profile the server's application for this request: its log with times, its database's "
         "slow queries",
         "the application's documentation"),
    look(linux, server,
         "perf top -p PID, or strace -f -T -p PID for a moment: what does the process do or wait "
         "for?",
         "perf-top(1); strace(1)"),
};

constexpr RemedyStep kClientThinkTime[] = {
    look(any, client,
         "Look at what the client's application or its user does between the answer and the next "
         "request",
         "the application's documentation"),
    look(linux, client, "strace -f -T -p PID for a moment: what does the process do or wait for?",
         "strace(1)"),
};

constexpr Fault kFaults[] = {
    {.id = "app-limited-sender",
     .name = "Sender has nothing to send",
     .family = Family::host,
     .specialises = "sender-limited",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender =
         "There are gaps with nothing outstanding. A segment below the MSS with PSH comes before "
         "the gap, and the next data are triggered by neither an ACK nor a window update.",
     .at_receiver = "All data are acknowledged before the gap.",
     .at_midpath = "",
     .at_host = "ss shows app_limited and nothing unsent; disk or CPU of the application is busy.",
     .active = "A test from memory to memory is faster than the file transfer.",
     .told_apart_by = "With `nagle-delack` a small segment is outstanding during the gap. With "
                      "`sndbuf-limited` the gap ends exactly at an ACK. Where both ends talk (a "
                      "remote desktop), neither was asked for more.",
     .minimum_evidence =
         "A sender's capture with more than 20 % of the time idle and nothing in flight.",
     .remedies = kAppLimitedSender,
     .references = "Zhang and others 2002 (T-RAT); Ghasemi and others 2017 (Dapper); Yu and others "
                   "2011 (SNAP)"},
    {.id = "app-ping-pong",
     .name = "Request-response protocol: one small window per round trip",
     .family = Family::host,
     .specialises = "app-limited-sender",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "A block of the same size goes in each round trip and both directions take "
                  "turns: 64 KB of SMB 1, 2 MB of SSH, ranges of HTTP.",
     .at_receiver = "The same is seen.",
     .at_midpath = "",
     .at_host = "",
     .active = "The rate is block/RTT and grows with parallel requests.",
     .told_apart_by = "With `rwnd-limited` data flow in one direction only.",
     .minimum_evidence = "Payload that alternates between the directions.",
     .remedies = kAppPingPong,
     .references = "RFC 6349"},
    {.id = "nagle-delack",
     .name = "Nagle waits for an ACK that the peer delays",
     .family = Family::host,
     .specialises = "app-limited-sender",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "A small segment leaves; after 40 ms (Linux), 200 ms (older Windows) or 50 to "
                  "100 ms (Solaris) a pure ACK arrives, and the next small segment leaves at once. "
                  "The histogram of gaps has a spike at that time.",
     .at_receiver = "The ACK is sent by a timer.",
     .at_midpath = "",
     .at_host =
         "TCP_NODELAY is not set and the application writes twice, then reads. DelayedACKs rises.",
     .active = "An A/B run with TCP_NODELAY proves it.",
     .told_apart_by = "An RTT of 40 ms looks the same: compare it with that of the handshake "
                      "(`path-latency`). When the application pauses (`app-limited-sender`), no "
                      "ACK triggers the data. TCP_CORK holds data for 200 ms.",
     .minimum_evidence =
         "Twenty or more gaps in a spike at the delayed-ACK time, each ended by an ACK.",
     .remedies = kNagleDelack,
     .references =
         "RFC 896; RFC 1122 section 4.2.3; Mogul and Minshall 2001; Yu and others 2011 (SNAP)"},
    {.id = "delack-single-segment",
     .name = "Lone segment (cwnd 1 after RTO, or odd tail) waits for delayed ACK",
     .family = Family::host,
     .specialises = "",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "One segment is in flight, and its ACK comes 40 to 200 ms later each time.",
     .at_receiver = "The ACK is sent by a timer.",
     .at_midpath = "",
     .at_host = "DelayedACKs rises, and the receiver does not acknowledge at once.",
     .active = "Writes of an even and an odd number of segments differ.",
     .told_apart_by = "Compare with the RTT of the handshake: with `path-latency` they are equal. "
                      "With `nagle-delack` the sender holds further data back.",
     .minimum_evidence = "A capture at the sender.",
     .remedies = kDelackSingleSegment,
     .references = "RFC 5681 section 4.2; RFC 1122 section 4.2.3.2"},
    {.id = "sender-cpu-limited",
     .name = "Sender cannot produce packets faster",
     .family = Family::host,
     .specialises = "sender-limited",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "No loss, and windows and send buffer have room, but the gap between frames is "
                  "several times their serialisation time and does not depend on ACKs.",
     .at_receiver = "It is idle.",
     .at_midpath = "",
     .at_host =
         "One core is near 100 % (user, system or soft interrupts); the tool has one thread.",
     .active = "More streams or processes give more.",
     .told_apart_by = "Compute the serialisation first: 9 038 bytes at 10 Gbit/s take 7.23 us, so "
                      "that such gaps may be the link itself (`shaper`). Pacing gives gaps of "
                      "length/pacing_rate, which ss shows.",
     .minimum_evidence = "The histogram of gaps, the load of each core, and the link's speed.",
     .remedies = kSenderCpuLimited,
     .references = "esnet/iperf#289, #1078, #1870"},
    {.id = "receiver-cpu-drops",
     .name = "Receiver host drops before TCP",
     .family = Family::host,
     .specialises = "random-loss",
     .proved_by = ProvedBy::host_facts,
     .max_severity = Severity::fault,
     .at_sender = "Segments are lost at a high packet rate while the RTT stays flat.",
     .at_receiver = "The packet is on the wire but not in the host's own capture, or it is "
                    "captured and not acknowledged.",
     .at_midpath = "The packet is seen at the switch.",
     .at_host = "rx_missed_errors, rx_no_buffer or rx_fifo_errors, or the drops and time_squeeze "
                "of softnet_stat rise; ksoftirqd is at 100 %.",
     .active =
         "Loss begins at a number of packets a second, not at a bit rate; small packets are worse.",
     .told_apart_by =
         "With loss in the network (`random-loss`) the packet is absent at the switch too. With "
         "loss in the capture (`nf-capture-drop`) data never seen are acknowledged.",
     .minimum_evidence = "The growth of NIC and softnet counters during the transfer.",
     .remedies = kReceiverCpuDrops,
     .references = "kernel scaling.rst; netdata/netdata#5630"},
    {.id = "rss-one-queue",
     .name = "All receive work lands on one core",
     .family = Family::host,
     .specialises = "",
     .proved_by = ProvedBy::host_facts,
     .max_severity = Severity::fault,
     .at_sender = "",
     .at_receiver = "Drops or latency, with one core busy in soft interrupts.",
     .at_midpath = "",
     .at_host = "/proc/interrupts shows one active queue, ethtool -l shows one combined channel, "
                "or the hash ignores tunnels, IPv6 or fragments.",
     .active = "Four streams are no faster than one.",
     .told_apart_by = "A single large flow always uses one queue, which is normal; "
                      "`receiver-cpu-drops` is the loss that may follow.",
     .minimum_evidence = "The counters of each queue with at least eight flows.",
     .remedies = kRssOneQueue,
     .references = "kernel scaling.rst; Microsoft Learn: introduction to receive side scaling"},
    {.id = "cpu-steal",
     .name = "Hypervisor gives the vCPU to someone else",
     .family = Family::host,
     .specialises = "",
     .proved_by = ProvedBy::host_facts,
     .max_severity = Severity::fault,
     .at_sender = "For milliseconds neither data are sent nor ACKs processed, then a burst "
                  "follows; there is no loss.",
     .at_receiver = "The same pattern is seen.",
     .at_midpath = "",
     .at_host = "The steal time of /proc/stat rises; esxtop shows %RDY above 5.",
     .active = "",
     .told_apart_by = "With `app-limited-sender` the steal time is 0. A pause for garbage "
                      "collection looks similar: look at the process.",
     .minimum_evidence = "The CPU's account during the transfer.",
     .remedies = kCpuSteal,
     .references = "proc(5); VMware: performance best practices"},
    {.id = "wrong-driver",
     .name = "Driver build or vNIC type does not match the OS",
     .family = Family::host,
     .specialises = "",
     .proved_by = ProvedBy::host_facts,
     .max_severity = Severity::fault,
     .at_sender = "The MTU cannot be raised, large sends are broken (`lso-not-segmented`), the "
                  "rate is low or the system's CPU time is high.",
     .at_receiver = "",
     .at_midpath = "",
     .at_host = "The driver's version does not fit the system's release, or the virtual NIC is an "
                "emulated one (E1000) instead of VMXNET3 or virtio.",
     .active = "Another virtual NIC or driver on the same host is several times faster.",
     .told_apart_by = "`sender-cpu-limited` and `lso-not-segmented` are what it looks like; the "
                      "inventory of drivers tells whether this is their cause.",
     .minimum_evidence = "Name and version of the driver, and a list of versions known to be bad.",
     .remedies = kWrongDriver,
     .references = "VMware KB 1001805"},
    {.id = "server-think-time",
     .name = "The server takes long to answer a request it has already acknowledged",
     .family = Family::host,
     .specialises = "app-limited-sender",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "The request is acknowledged within about one RTT, and the first byte of the "
                  "answer comes much later, with nothing outstanding in between.",
     .at_receiver = "The same is seen.",
     .at_midpath = "",
     .at_host = "The server's load, database or disk is busy.",
     .active = "",
     .told_apart_by = "With `path-latency` the handshake is slow too. With `nagle-delack` the gap "
                      "is the delayed-ACK time and ends with a pure ACK. After a message that was "
                      "pushed, or a keep-alive, nobody goes on: that was no answer that anybody "
                      "waited for. A proxy that answers the handshake hides the way behind it.",
     .minimum_evidence = "A gap of more than 5 RTTs and 200 ms between the ACK of a request and "
                         "the first byte of its answer.",
     .remedies = kServerThinkTime,
     .references = "RFC 9293 section 3.8; Olshefski and others 2002, inferring client response "
                   "time at the server"},
    {.id = "client-think-time",
     .name = "The client is late in asking",
     .family = Family::host,
     .specialises = "app-limited-sender",
     .proved_by = ProvedBy::one_capture,
     .max_severity = Severity::fault,
     .at_sender = "Everything is acknowledged and the connection is open; the client's next "
                  "request comes much later than one RTT.",
     .at_receiver = "",
     .at_midpath = "",
     .at_host = "",
     .active = "",
     .told_apart_by = "With `server-think-time` a request is outstanding.",
     .minimum_evidence = "A gap of more than 5 RTTs and 200 ms that ends with data from the "
                         "client, with nothing outstanding.",
     .remedies = kClientThinkTime,
     .references = "Olshefski and others 2002, inferring client response time at the server"},
};

}  // namespace

std::span<const Fault> host_faults() { return kFaults; }

}  // namespace slowpath::catalogue
