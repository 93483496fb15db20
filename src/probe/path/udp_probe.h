// SPDX-License-Identifier: Apache-2.0
// UDP packets of exact size and time to live towards a port that nobody listens at, each from a
// socket of its own, so that whatever ICMP comes back is known to be about it. No privilege needed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "probe/path/size_probe.h"

namespace slowpath::probe {

struct UdpPacket {
  std::uint32_t ip_bytes = 0;
  std::uint32_t ttl = 0;  // 0: the system's own
  bool dont_fragment = true;
};

/// Sends all, waits until each has an answer or `wait` is over. Answers in order. A failure means
/// that no socket could be made or that no route leads there.
Result<std::vector<ProbeAnswer>> send_udp_packets(const IpAddress& target,
                                                  std::span<const UdpPacket> packets,
                                                  Duration wait);

/// The address that this host uses towards `target`.
Result<IpAddress> local_address_towards(const IpAddress& target);

/// The path MTU that the kernel believes in (IP_MTU), which includes what routers told it before.
std::optional<std::uint32_t> kernel_path_mtu(const IpAddress& target);

/// MTU of the interface that holds `local`; nothing where it cannot be read.
std::optional<std::uint32_t> interface_mtu_of(const IpAddress& local);

/// As a size probe. A host answers a few closed ports at once and then, on Linux, one a second
/// (icmp_ratelimit, a bucket of six): of a large and a small packet the large one is sent first, so
/// that the small one is answered only where the large one was not.
class UdpSizeProbe final : public SizeProbe {
 public:
  explicit UdpSizeProbe(const IpAddress& target) : target_(target) {}
  std::vector<ProbeAnswer> volley(std::span<const std::uint32_t> ip_bytes, Duration wait) override;
  [[nodiscard]] std::size_t at_once() const override { return 2; }
  [[nodiscard]] Duration pause() const override { return std::chrono::milliseconds(1100); }

 private:
  IpAddress target_;
};

}  // namespace slowpath::probe
