// SPDX-License-Identifier: Apache-2.0
// Frames of a network interface of this host, through libpcap. What the interface is set to, before
// and during, is read elsewhere (machine/interface_settings.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "capture/source.h"

namespace slowpath::capture {

struct LiveOptions {
  /// Bytes kept of each frame: libpcap's own maximum, so super-frames come whole.
  std::uint32_t snap_len = 262'144;
  /// Off by default: switching it on changes what is looked at (it can turn offloads or filters of
  /// the card off).
  bool promiscuous = false;
  /// How long to capture; zero means until stopped.
  Duration duration{};
  /// The kernel's buffer, in bytes. 2 MiB is libpcap's default and overflows at a few Gbit/s.
  int buffer_bytes = 32 << 20;
  /// A tcpdump filter, run in the kernel; empty for all.
  std::string filter;
};

/// Starts to capture. next() waits for frames, and returns false once `stop` is true, the duration
/// is over or the interface is gone; it looks at least five times a second. `stop` must outlive the
/// source. info().reported_drops holds the kernel's and the interface's drops; bytes_at() reaches
/// back kRetainedBytes of frames. Errors: no such interface (usage), a wrong filter (usage), no
/// permission (environment, with what to do).
Result<std::unique_ptr<Source>> open_live(const std::string& interface, std::uint16_t input,
                                          const LiveOptions& options,
                                          const std::atomic<bool>& stop);

}  // namespace slowpath::capture
