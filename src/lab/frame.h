// SPDX-License-Identifier: Apache-2.0
// A frame on its way through the lab: bytes in a pooled buffer, and the virtio-net header that says
// what the sending kernel left to the virtual NIC.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"

namespace slowpath::lab {

/// What a kernel tells a virtual NIC about a frame: struct virtio_net_hdr (virtio 1.2, section
/// 5.1.6), little endian, 10 bytes. Declared here because the kernel's header is not C++.
struct VnetHeader {
  static constexpr std::uint8_t kNeedsChecksum =
      1;  // flags: sum from csum_start, store at +csum_offset
  static constexpr std::uint8_t kDataValid =
      2;  // flags: tun ignores it on write (reference kernel 6.18)
  static constexpr std::uint8_t kGsoNone = 0, kGsoTcp4 = 1, kGsoUdp = 3, kGsoTcp6 = 4,
                                kGsoUdpL4 = 5;
  static constexpr std::uint8_t kGsoEcn = 0x80;  // or-ed to gso_type: the first segment carries CWR

  std::uint8_t flags = 0;
  std::uint8_t gso_type = kGsoNone;
  std::uint16_t hdr_len = 0;   // headers up to the payload; a hint
  std::uint16_t gso_size = 0;  // payload bytes of each segment
  std::uint16_t csum_start = 0;
  std::uint16_t csum_offset = 0;

  [[nodiscard]] bool needs_checksum() const { return (flags & kNeedsChecksum) != 0; }
  [[nodiscard]] bool is_tcp_gso() const {
    const auto type = static_cast<std::uint8_t>(gso_type & ~kGsoEcn);
    return type == kGsoTcp4 || type == kGsoTcp6;
  }
};
static_assert(sizeof(VnetHeader) == 10);

class FramePool;

/// One Ethernet frame. `bytes()` begins at the destination MAC address.
struct Frame {
  std::byte* data = nullptr;
  std::uint32_t len = 0;
  std::uint32_t capacity = 0;
  VnetHeader vnet;
  Time arrived{};               // when the plane read or made it
  std::uint64_t id = 0;         // unique within a plane
  std::uint64_t parent = 0;     // the super-frame that it was cut from; 0 if none
  bool leave_checksum = false;  // a broken NIC stage asks segmentation not to complete checksums
  FramePool* pool = nullptr;

  [[nodiscard]] std::span<std::byte> bytes() { return {data, len}; }
  [[nodiscard]] Bytes bytes() const { return {data, len}; }
  /// A super-frame: more than one segment of TCP payload behind one header.
  [[nodiscard]] bool is_super_frame() const { return vnet.is_tcp_gso(); }
};

struct ReturnToPool {
  void operator()(Frame* frame) const;
};
/// Owns a frame; letting go returns its buffer to the pool, which must outlive it.
using FramePtr = std::unique_ptr<Frame, ReturnToPool>;

/// Buffers of three sizes in free lists: no allocation once warm. One thread.
class FramePool {
 public:
  static constexpr std::uint32_t kPacketBytes = 2 * 1024;  // a packet of an ordinary MTU
  static constexpr std::uint32_t kSmallBytes = 10 * 1024;  // a jumbo frame
  static constexpr std::uint32_t kLargeBytes =
      68 * 1024;  // a super-frame: 65535 bytes of IP and the link header

  FramePool() = default;
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;
  ~FramePool();

  /// A frame of `len` bytes, not cleared, headers zero, with a new id. len <= kLargeBytes.
  FramePtr make(std::uint32_t len);
  /// The same bytes and header with an id of its own and `parent` set to the original's id.
  FramePtr copy(const Frame& frame);
  /// Frames handed out and not returned.
  [[nodiscard]] std::size_t in_use() const { return in_use_; }

 private:
  friend struct ReturnToPool;
  void give_back(Frame* frame);

  std::array<std::vector<Frame*>, 3> free_;
  std::size_t in_use_ = 0;
  std::uint64_t next_id_ = 1;
};

}  // namespace slowpath::lab
