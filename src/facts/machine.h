// SPDX-License-Identifier: Apache-2.0
// What one host is set to and what its counters say: read live on Linux, or from text that commands
// printed on any host. Plain data. What was not read is absent, never zero; `unread` says why where
// somebody tried.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "facts/address.h"
#include "facts/catalogue.h"

namespace slowpath {

/// Where a value was read, as evidence: "/proc/sys/net/ipv4/tcp_rmem", "ethtool -k eth0",
/// "netsh.txt, line 7".
struct Origin {
  std::string where;
  friend bool operator==(const Origin&, const Origin&) = default;
};

/// A value with its origin.
template <typename T>
struct Told {
  T value{};
  Origin origin;
};

/// One switch of a NIC (ethtool -k): what it does now, whether it can be changed, what was asked
/// for.
struct FeatureState {
  bool on = false;
  bool fixed = false;             // the driver does not allow it to be changed
  std::optional<bool> requested;  // differs from `on` where something else forbids it
};

struct RingFacts {
  std::optional<std::uint32_t> rx, tx, rx_max, tx_max;  // descriptors
};
struct ChannelFacts {
  std::optional<std::uint32_t> rx, tx, combined, rx_max, tx_max, combined_max;  // queues
};
struct CoalesceFacts {
  std::optional<std::uint32_t> rx_us, rx_frames, tx_us, tx_frames;
  std::optional<bool> adaptive_rx, adaptive_tx;
};
struct RssFacts {
  std::vector<std::uint32_t> indirection;  // queue of each bucket; empty: not told
  std::string hash;                        // "toeplitz"
  /// What a queue is chosen by, of each kind of traffic ("tcp4", "udp4", "tcp6", "udp6"), in the
  /// letters of `ethtool -N`: s, d = addresses, f, n = ports. No entry: not told.
  std::map<std::string, std::string> fields;
};

/// One network interface.
struct InterfaceFacts {
  std::string name;         // "eth0", "vmnic0", "Ethernet 2"
  std::uint32_t index = 0;  // 0: not told
  std::string kind;   // "" for hardware, else rtnetlink's kind: "veth", "bridge", "vlan", "bond",
                      // "vxlan", "wireguard", "tun", "gre", "ipip" ...; lo: "loopback"
  std::string alias;  // description, if any
  std::optional<std::uint32_t> mtu_bytes, mtu_max_bytes;
  std::optional<bool> up, carrier, promiscuous;
  std::string driver, driver_version, firmware, bus;
  std::optional<std::int64_t> speed_bps;
  std::string duplex;  // "full", "half", "" = not told
  std::optional<std::uint32_t> tx_queue_len;
  std::string qdisc;   // root: "fq_codel", "pfifo_fast", "mq"
  std::string master;  // bridge or bond that it belongs to
  std::string lower;   // the interface that it is stacked on (VLAN, tunnel)
  std::vector<IpAddress> addresses;
  std::map<std::string, FeatureState>
      features;  // by ethtool's kernel names: "tx-tcp-segmentation", "rx-gro", "rx-lro" ...
  std::map<std::string, std::string>
      properties;  // what has no place of its own: Windows advanced properties, dladm's
  RingFacts rings;
  ChannelFacts channels;
  CoalesceFacts coalesce;
  RssFacts rss;
  std::map<std::string, std::uint64_t>
      statistics;  // rtnl and driver: "rx_missed_errors", "rx_crc_errors" ...
  std::map<std::string, std::uint64_t>
      qdisc_statistics;  // "drops", "overlimits", "backlog_bytes", "requeues"
  std::vector<std::uint64_t> queue_interrupts;  // of each receive queue since boot
  std::vector<std::uint64_t> cpu_interrupts;    // of those queues together, by CPU
  /// Per second over `interval_s`, of those that moved; empty without an interval.
  std::map<std::string, double> statistic_rates, qdisc_rates;
  std::vector<double> queue_interrupt_rates, cpu_interrupt_rates;
  Origin origin;
};

struct RouteFacts {
  IpAddress destination;  // version 0: default route
  std::uint8_t prefix_len = 0;
  std::optional<IpAddress> gateway;
  std::string interface;
  std::optional<std::uint32_t> mtu_bytes, initcwnd, initrwnd, advmss, window;
  std::optional<bool> quickack;
  bool is_exception = false;  // a path MTU learnt from ICMP
  std::optional<double> expires_s;
  std::optional<bool> mtu_locked;  // path MTU discovery does not change it
  std::optional<double> rto_min_s;
  std::optional<std::uint32_t> metric;  // lower is preferred
  std::string congestion_control;
  std::string table;  // "main", "local", or its number; "" = not told
  std::string type;   // "" = unicast, else "blackhole", "unreachable", "prohibit", "throw"
  Origin origin;
};

/// A TCP socket of the host, with the kernel's own account (Linux struct tcp_info; times in
/// seconds, rates in bit/s).
struct SocketFacts {
  Endpoint local, remote;
  std::string state;  // "established", "listen", "time-wait" ...
  std::string congestion_control;
  std::optional<std::uint32_t> mss_bytes, pmtu_bytes, cwnd_segments, ssthresh_segments, reordering,
      retransmits_total;
  std::optional<std::uint32_t> send_window_scale, receive_window_scale;
  std::optional<double> rtt_s, rtt_var_s, rtt_min_s, rto_s;
  std::optional<double> busy_s, rwnd_limited_s, sndbuf_limited_s;
  std::optional<std::uint64_t> bytes_sent, bytes_acked, bytes_received, bytes_retransmitted,
      not_sent_bytes;
  std::optional<std::uint64_t> receive_queue_bytes, send_queue_bytes, receive_buffer_bytes,
      send_buffer_bytes;
  std::optional<double> delivery_rate_bps, pacing_rate_bps;
  std::optional<bool> app_limited;
  /// Of a listener: connections that wait to be accepted, and how many may.
  std::optional<std::uint32_t> accept_queue, accept_queue_max;
  std::optional<std::uint32_t> peer_window_bytes, receive_mss_bytes, advertised_mss_bytes,
      receive_ssthresh_bytes, drops;
  std::optional<std::uint32_t> dsack_duplicates, reorder_events, out_of_order_packets;
  std::optional<std::uint32_t> data_segments_sent, data_segments_received, timeouts_total;
  std::optional<double> receive_rtt_s;
  std::optional<bool> timestamps, sack, ecn;  // negotiated
  Origin origin;
};

/// CPU time since boot or over the interval, in seconds.
struct CpuFacts {
  std::uint32_t number = 0;
  double user_s = 0, system_s = 0, softirq_s = 0, steal_s = 0, idle_s = 0;
  /// The packets this CPU took from NICs and other CPUs (Linux softnet_stat).
  std::optional<std::uint64_t> softnet_processed, softnet_dropped, softnet_time_squeeze;
};

/// What was tried and could not be read.
struct Unread {
  std::string what;   // "rings of eth0"
  std::string why;    // "operation not permitted"
  std::string allow;  // "cap_net_admin", or empty
};

/// A line of a text that nobody understood, so that nothing is lost silently.
struct NotUnderstood {
  std::string file;
  std::uint32_t line = 0;
  std::string text;  // cut to 120 bytes
};

/// A result of another program's test, read from its output: iperf, ping.
struct MeasuredFacts {
  std::string program;  // "iperf3", "iperf2", "ping"
  std::optional<double> goodput_bps, rtt_min_s, rtt_median_s, loss_share;
  std::optional<std::uint32_t> retransmits, window_bytes, largest_passed_bytes,
      smallest_failed_bytes;  // ping with DF: ICMP payload
  std::optional<std::uint32_t> payload_bytes;  // ping: what was sent, with DF or without
  std::optional<bool> dont_fragment;           // ping: told by an option or an answer
  Origin origin;
};

struct MachineFacts {
  std::string name;                  // given by the user ("A"), or the host's own
  std::optional<Platform> platform;  // linux, windows, solaris or esxi
  bool live = false;                 // read from this host now
  std::string os, os_release, kernel,
      virtualization;  // "Oracle Solaris 11.2", "11.2", "5.11", "vmware"
  std::vector<InterfaceFacts> interfaces;
  std::vector<RouteFacts> routes;
  std::vector<SocketFacts> sockets;
  std::vector<CpuFacts> cpus;
  /// By the platform's own name: sysctl "net.ipv4.tcp_rmem";
  /// "netsh.tcp.global.receive-window-auto-tuning-level";
  /// "Get-NetTCPSetting.Internet.AutoTuningLevelLocal"; "ipadm.tcp.recv_buf", "dladm.net0.mtu",
  /// "ndd.ip.ip_lso_outbound"; "esx./Net/TcpipDefLROEnabled" (machine/text/README.md lists them).
  std::map<std::string, Told<std::string>> settings;
  /// As nstat prints them: "TcpExtListenOverflows", "IpReasmFails"; softnet as "SoftnetDropped",
  /// "SoftnetTimeSqueeze"; conntrack as "ConntrackCount", "ConntrackMax", "ConntrackInsertFailed"
  /// ... sockstat as "SockstatTcpTw", "SockstatTcpMem" (in pages).
  std::map<std::string, Told<std::uint64_t>> counters;
  std::map<std::string, double> counter_rates;  // per second over `interval_s`, of those that moved
  std::optional<double> interval_s;
  std::optional<std::string> clock_source;
  std::vector<std::string> congestion_controls;  // available
  std::vector<MeasuredFacts> measured;
  std::vector<std::string> packages;  // lines of driver or package listings, as printed
  std::vector<Unread> unread;
  std::vector<NotUnderstood> not_understood;
};

/// The interface of that name, or nullptr; valid as long as `machine` is not changed.
const InterfaceFacts* find_interface(const MachineFacts& machine, std::string_view name);
/// The value of a setting, or nullptr where it was not read.
const Told<std::string>* find_setting(const MachineFacts& machine, const std::string& key);
/// A counter, or nullptr where it was not read.
const Told<std::uint64_t>* find_counter(const MachineFacts& machine, const std::string& key);

}  // namespace slowpath
