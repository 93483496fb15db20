// SPDX-License-Identifier: Apache-2.0
// Where frames enter and leave the plane: a host's interface, seen from its other side.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "lab/frame.h"

namespace slowpath::lab {

/// Counts since opening.
struct EndpointCounts {
  std::uint64_t frames_received = 0, bytes_received = 0;
  std::uint64_t frames_sent = 0, bytes_sent = 0;
  std::uint64_t super_frames_received = 0;
  std::uint64_t send_failures = 0;  // the host did not take the frame: the run is void
};

class Endpoint {
 public:
  virtual ~Endpoint() = default;
  Endpoint() = default;
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  /// Readable when frames wait; -1 for one in memory.
  [[nodiscard]] virtual int fd() const = 0;
  /// One frame that the host sent, without waiting: fills `frame` (kLargeBytes of capacity), sets
  /// len and vnet. False when none waits.
  virtual bool receive(Frame& frame) = 0;
  /// Gives a frame to the host. Failures are counted.
  virtual void send(const Frame& frame) = 0;
  [[nodiscard]] const EndpointCounts& counts() const { return counts_; }

 protected:
  void count_received(const Frame& frame) {
    ++counts_.frames_received;
    counts_.bytes_received += frame.len;
    counts_.super_frames_received += frame.is_super_frame();
  }
  void count_sent(const Frame& frame, bool taken) {
    counts_.send_failures += !taken;
    counts_.frames_sent += taken;
    counts_.bytes_sent += taken ? frame.len : 0;
  }

 private:
  EndpointCounts counts_;
};

/// A TAP device `interface` made in the network namespace that the calling thread is in, offloads
/// on, virtio-net header, down and without address; it vanishes with the endpoint. Errors:
/// environment (no /dev/net/tun, no right).
Result<std::unique_ptr<Endpoint>> open_tap(const std::string& interface);

/// AF_PACKET with virtio-net header on the veth device `interface` of the calling thread's
/// namespace (the plane's side of a pair whose other end is the host's). Its frames are the host's.
Result<std::unique_ptr<Endpoint>> open_packet_socket(const std::string& interface);

}  // namespace slowpath::lab
