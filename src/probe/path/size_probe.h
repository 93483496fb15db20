// SPDX-License-Identifier: Apache-2.0
// What a size sweep sends and what comes of it. Several ways of sending share this face; the sweep
// (size_sweep.h) knows only it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/time.h"
#include "facts/address.h"

namespace slowpath::probe {

/// IP and transport headers of a probe: IPv4 20 or IPv6 40, and 8 of UDP or ICMP echo.
constexpr std::uint32_t probe_headers(int ip_version) { return ip_version == 6 ? 48 : 28; }

enum class Fate : std::uint8_t {
  silent,          // no answer within the wait
  passed,          // it reached the host
  refused,         // an ICMP message says it is too large
  too_large_here,  // the own interface does not let it out
  expired,         // its time to live ended on the way, as asked
  unreachable,     // somebody says that the host cannot be reached, whatever the size
};

struct ProbeAnswer {
  Fate fate = Fate::silent;
  IpAddress from{};       // who answered; version 0 where nobody did
  std::uint32_t mtu = 0;  // of refused and too_large_here
  double rtt_s = 0;       // of whatever came back
};

/// Sends packets of exact size that may not be fragmented.
class SizeProbe {
 public:
  SizeProbe() = default;
  SizeProbe(const SizeProbe&) = delete;
  SizeProbe& operator=(const SizeProbe&) = delete;
  virtual ~SizeProbe() = default;

  /// Sends one packet of each size, waits until all are answered or `wait` is over, and tells what
  /// became of each, in order. Sizes are whole IP packets.
  virtual std::vector<ProbeAnswer> volley(std::span<const std::uint32_t> ip_bytes,
                                          Duration wait) = 0;

  /// So many answers in a row are to be expected; a host that limits its ICMP errors allows few.
  [[nodiscard]] virtual std::size_t at_once() const = 0;

  /// Pause between volleys that keeps within such a limit.
  [[nodiscard]] virtual Duration pause() const { return Duration{0}; }
};

}  // namespace slowpath::probe
