// SPDX-License-Identifier: Apache-2.0
// What the kernel says of a TCP socket: TCP_INFO as it is since Linux 6.18, and a thread that looks
// every 20 ms.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "lab/traffic.h"

namespace slowpath::lab {

/// struct tcp_info of include/uapi/linux/tcp.h, Linux 6.18. Declared here because the headers of
/// Debian 12 end at snd_wnd (232 bytes). Kernels only ever add at the end; an older one returns
/// fewer bytes, and what is missing stays zero. Times in microseconds where the kernel gives them
/// so (rto, rtt, busy_time ...), last_* in milliseconds.
struct KernelTcpInfo {
  std::uint8_t state, ca_state, retransmits, probes, backoff, options;
  std::uint8_t wscale;       // low half: of the peer's window (snd_wscale), high half: of ours
  std::uint8_t app_limited;  // bit 0: delivery_rate_app_limited; bits 1-2: fastopen_client_fail
  std::uint32_t rto, ato, snd_mss, rcv_mss;
  std::uint32_t unacked, sacked, lost, retrans, fackets;
  std::uint32_t last_data_sent, last_ack_sent, last_data_recv, last_ack_recv;
  std::uint32_t pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss, reordering;
  std::uint32_t rcv_rtt, rcv_space, total_retrans;
  std::uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
  std::uint32_t segs_out, segs_in, notsent_bytes, min_rtt, data_segs_in, data_segs_out;
  std::uint64_t delivery_rate, busy_time, rwnd_limited, sndbuf_limited;
  std::uint32_t delivered, delivered_ce;
  std::uint64_t bytes_sent, bytes_retrans;
  std::uint32_t dsack_dups, reord_seen, rcv_ooopack, snd_wnd;
  std::uint32_t rcv_wnd, rehash;                  // 6.2
  std::uint16_t total_rto, total_rto_recoveries;  // 6.7
  std::uint32_t total_rto_time;
  std::uint32_t received_ce, delivered_e1_bytes, delivered_e0_bytes, delivered_ce_bytes;  // 6.18
  std::uint32_t received_e1_bytes, received_e0_bytes, received_ce_bytes;
  std::uint16_t accecn_fail_mode, accecn_opt_seen;
};
static_assert(offsetof(KernelTcpInfo, pacing_rate) == 104);
static_assert(offsetof(KernelTcpInfo, rcv_wnd) == 232);
static_assert(offsetof(KernelTcpInfo, total_rto) == 240);
static_assert(sizeof(KernelTcpInfo) == 280);

/// Takes as many bytes as the kernel returned; the rest is zero. None if there are fewer than Linux
/// 4.9 had (up to delivery_rate): such an answer is none.
std::optional<KernelTcpInfo> tcp_info_from(Bytes returned);
/// Asks the kernel; none if the socket is no TCP socket.
std::optional<KernelTcpInfo> read_tcp_info(int socket);
TcpSample to_sample(const KernelTcpInfo& info, Duration at);

/// Samples in order, at most kMost: when it is full every second one goes, and from then on every
/// second one is not taken.
class SampleSeries {
 public:
  static constexpr std::size_t kMost = 4096;
  void add(const TcpSample& sample);
  [[nodiscard]] const std::vector<TcpSample>& samples() const { return samples_; }

 private:
  std::vector<TcpSample> samples_;
  std::uint64_t stride_ = 1, skipped_ = 0;
};

/// Looks at a socket every 20 ms from a thread of its own, until stopped or destroyed. The socket
/// must stay open meanwhile.
class TcpSampler {
 public:
  /// `began` is the steady clock's, in nanoseconds: what samples count from.
  TcpSampler(int socket, std::int64_t began_ns);
  ~TcpSampler();
  TcpSampler(const TcpSampler&) = delete;
  TcpSampler& operator=(const TcpSampler&) = delete;

  /// One last look, then no more. The second time it does nothing.
  void stop();
  /// After stop().
  [[nodiscard]] const std::vector<TcpSample>& samples() const { return series_.samples(); }
  [[nodiscard]] const std::optional<TcpSample>& last() const { return last_; }

 private:
  void look();
  void run();

  int socket_;
  std::int64_t began_ns_;
  SampleSeries series_;
  std::optional<TcpSample> last_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace slowpath::lab
