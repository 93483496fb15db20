// SPDX-License-Identifier: Apache-2.0
// Bits turned over in frames, and the words that let a reader find them again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lab/packet_view.h"
#include "lab/random.h"
#include "lab/settings.h"

namespace slowpath::lab {

/// One run of neighbouring bits in the transport payload, as a bad memory cell or bus line makes
/// it. Keys: bits = 1..128 (default 1); at = offset in the payload of the first byte, whose highest
/// bit begins the run, or "random" (default).
class PayloadFlip {
 public:
  static PayloadFlip read(Settings& settings);

  /// The payload has the bytes that are to be hit.
  [[nodiscard]] bool fits(const PacketView& packet) const;
  /// Turns the bits over and says which: "byte 878, payload 812: 41 -> 40" or, for more bytes,
  /// "bytes 878-879, payload 812: 4142 -> 40c2", in offsets from the frame's and the payload's
  /// start. Checksums are not touched. `seen_by_checksum`: a run that an Internet checksum would
  /// not notice (RFC 1071 sums 0x0000 and 0xffff alike) is made one bit shorter.
  std::string flip(Frame& frame, const PacketView& packet, Random& random,
                   bool seen_by_checksum) const;

 private:
  std::uint32_t bits_ = 1;
  std::optional<std::uint32_t> at_;
};

/// Single bits, anywhere in a frame.
class BitFlips {
 public:
  /// `bit` counts from the frame's first byte, the highest bit of each first; inside the frame.
  void flip(Frame& frame, std::uint64_t bit);
  /// "byte 878: 41 -> 40, byte 900: 07 -> 27 and 3 more": the first 16; empty if there was none.
  [[nodiscard]] std::string detail() const;

 private:
  std::string text_;
  std::uint32_t count_ = 0;
};

}  // namespace slowpath::lab
