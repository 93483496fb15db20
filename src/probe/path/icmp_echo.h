// SPDX-License-Identifier: Apache-2.0
// ICMP echo of exact size, IPv4 and IPv6. By a raw socket where allowed, otherwise by a ping socket
// (net.ipv4.ping_group_range), which any user may open where the system says so.
#pragma once

#include <cstdint>
#include <memory>

#include "base/descriptor.h"
#include "base/result.h"
#include "probe/path/size_probe.h"

namespace slowpath::probe {

class IcmpEcho final : public SizeProbe {
 public:
  /// Fails with what would allow it.
  static Result<std::unique_ptr<IcmpEcho>> open(const IpAddress& target);

  std::vector<ProbeAnswer> volley(std::span<const std::uint32_t> ip_bytes, Duration wait) override;
  [[nodiscard]] std::size_t at_once() const override { return 8; }

  /// With false the kernel cuts what is larger than the interface's MTU into fragments.
  void set_dont_fragment(bool dont_fragment);

 private:
  explicit IcmpEcho(const IpAddress& target) : target_(target) {}
  [[nodiscard]] std::vector<std::byte> make_request(std::uint32_t ip_bytes,
                                                    std::uint16_t sequence) const;
  struct Volley;
  void send_all(Volley& volley, std::span<const std::uint32_t> ip_bytes);
  void take_replies(Volley& volley);
  void take_errors(Volley& volley);

  IpAddress target_;
  Descriptor socket_;
  bool raw_ = false;
  std::uint16_t id_ = 0, next_sequence_ = 1;
};

}  // namespace slowpath::probe
