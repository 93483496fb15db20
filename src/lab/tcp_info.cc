// SPDX-License-Identifier: Apache-2.0
// Reading TCP_INFO, whatever length the kernel has.
#include "lab/tcp_info.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "lab/traffic_clock.h"

namespace slowpath::lab {

std::optional<KernelTcpInfo> tcp_info_from(Bytes returned) {
  if (returned.size() < offsetof(KernelTcpInfo, busy_time)) return std::nullopt;
  KernelTcpInfo info{};
  std::memcpy(&info, returned.data(), std::min(returned.size(), sizeof info));
  return info;
}

std::optional<KernelTcpInfo> read_tcp_info(int socket) {
  // Larger than we know: a newer kernel cuts to what it is given, and says so in the length.
  std::array<std::byte, 512> buffer{};
  socklen_t length = buffer.size();
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, buffer.data(), &length) != 0) return std::nullopt;
  return tcp_info_from(Bytes{buffer}.first(length));
}

TcpSample to_sample(const KernelTcpInfo& info, Duration at) {
  TcpSample sample;
  sample.at = at;
  sample.state = info.state;
  sample.retransmits = info.retransmits;
  sample.backoff = info.backoff;
  sample.rto_us = info.rto;
  sample.rtt_us = info.rtt;
  sample.min_rtt_us = info.min_rtt;
  sample.cwnd = info.snd_cwnd;
  sample.ssthresh = info.snd_ssthresh;
  sample.snd_mss = info.snd_mss;
  sample.unacked = info.unacked;
  sample.total_retrans = info.total_retrans;
  sample.total_rto = info.total_rto;
  sample.snd_wnd = info.snd_wnd;
  sample.notsent_bytes = info.notsent_bytes;
  sample.busy_us = info.busy_time;
  sample.rwnd_limited_us = info.rwnd_limited;
  sample.sndbuf_limited_us = info.sndbuf_limited;
  sample.bytes_acked = info.bytes_acked;
  sample.delivery_rate_Bps = info.delivery_rate;
  sample.reordering = info.reordering;
  sample.dsack_dups = info.dsack_dups;
  sample.reord_seen = info.reord_seen;
  sample.pmtu = info.pmtu;
  sample.rcv_rtt_us = info.rcv_rtt;
  sample.rcv_space = info.rcv_space;
  sample.rcv_wnd = info.rcv_wnd;
  sample.rcv_out_of_order = info.rcv_ooopack;
  sample.bytes_received = info.bytes_received;
  sample.options = info.options;
  sample.snd_wscale = info.wscale & 0xfU;
  sample.rcv_wscale = static_cast<std::uint8_t>(info.wscale >> 4U);
  sample.app_limited = info.app_limited & 1U;
  return sample;
}

void SampleSeries::add(const TcpSample& sample) {
  if (skipped_ + 1 < stride_) {
    ++skipped_;
    return;
  }
  skipped_ = 0;
  if (samples_.size() == kMost) {
    for (std::size_t i = 0; i < kMost / 2; ++i) samples_[i] = samples_[2 * i];
    samples_.resize(kMost / 2);
    stride_ *= 2;
  }
  samples_.push_back(sample);
}

TcpSampler::TcpSampler(int socket, std::int64_t began_ns)
    : socket_(socket), began_ns_(began_ns), thread_([this] { run(); }) {}

TcpSampler::~TcpSampler() { stop(); }

void TcpSampler::stop() {
  {
    const std::lock_guard lock{mutex_};
    if (stopping_) return;
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
  look();
}

void TcpSampler::look() {
  const auto info = read_tcp_info(socket_);
  // A socket that was disconnected forgets its totals; what it said before counts.
  if (!info || (last_ && info->bytes_acked < last_->bytes_acked)) return;
  last_ = to_sample(*info, Duration{steady_ns() - began_ns_});
  series_.add(*last_);
}

void TcpSampler::run() {
  constexpr auto kEvery = std::chrono::milliseconds{20};
  std::unique_lock lock{mutex_};
  while (!stopping_) {
    look();
    changed_.wait_for(lock, kEvery, [this] { return stopping_; });
  }
}

}  // namespace slowpath::lab
