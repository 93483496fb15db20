// SPDX-License-Identifier: Apache-2.0
// Writes pcapng (draft-ietf-opsawg-pcapng): one section, interfaces as they come, nanosecond
// timestamps, packet comments. Buffered; the only header of this room that report/ and lab/ may
// include.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "wire/frame.h"

namespace slowpath::capture {

class PcapngWriter {
 public:
  /// Creates or truncates `file` ("-" is standard output). `application` is the section's
  /// shb_userappl.
  static Result<std::unique_ptr<PcapngWriter>> create(const std::string& file,
                                                      std::string_view application);
  ~PcapngWriter();
  PcapngWriter(const PcapngWriter&) = delete;
  PcapngWriter& operator=(const PcapngWriter&) = delete;

  /// An interface description block; returns its number. snap_len 0: not limited.
  std::uint32_t add_interface(std::string_view name, wire::LinkType link_type,
                              std::uint32_t snap_len);
  /// An enhanced packet block; `bytes` is cut to the interface's snap length. An empty comment
  /// writes none.
  void packet(std::uint32_t interface, Time when, Bytes bytes, std::uint32_t original_len,
              wire::FrameDirection direction = wire::FrameDirection::unknown,
              std::string_view comment = {});
  [[nodiscard]] std::uint64_t packets() const;
  /// Flushes and closes. Errors: the first write that failed.
  Result<void> close();

 private:
  struct State;
  explicit PcapngWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slowpath::capture
