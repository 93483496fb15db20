// SPDX-License-Identifier: Apache-2.0
// A capture of which so much is missing that what it shows of losses and times is its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "detect/support.h"

namespace slowpath::detect {

/// The share of this direction's bytes, 0 to 1, that were acknowledged although never captured.
inline double capture_loss_share(const DirectionFacts& data) {
  const std::uint64_t bytes = data.carried_bytes();
  if (bytes == 0) return 0;
  return static_cast<double>(data.unseen_acked_bytes) / static_cast<double>(bytes);
}

/// That share where it is too large for what is told packet by packet; nothing where it is not.
inline std::optional<double> large_capture_loss(const DirectionFacts& data) {
  constexpr double kShare = 0.30;
  // In so many places at least: one hole may be a damaged sequence number.
  constexpr std::uint64_t kHoles = 10;
  if (!data.seen || data.unseen_acked_holes < kHoles) return std::nullopt;
  const double missing = capture_loss_share(data);
  if (missing < kShare) return std::nullopt;
  return missing;
}

/// Of both directions, what is known by its ACKs alone among them.
inline std::uint64_t carried_bytes(const ConnectionFacts& connection) {
  std::uint64_t bytes = 0;
  for (const DirectionFacts& data : connection.directions) bytes += data.carried_bytes();
  return bytes;
}

/// What to capture instead: with a buffer that holds what comes too fast for the disk.
inline std::string complete_capture(const ConnectionFacts& connection) {
  return capture_command(connection, "complete.pcap") + " -B 65536";
}

}  // namespace slowpath::detect
