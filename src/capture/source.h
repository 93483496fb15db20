// SPDX-License-Identifier: Apache-2.0
// Opens captures and hands over their frames, one after the other. Damage is counted and survived.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "wire/frame.h"

namespace slowpath::capture {

/// One interface of a capture, as its header describes it.
struct InterfaceInfo {
  std::string name;  // pcapng if_name, or empty
  std::string description;
  wire::LinkType link_type = wire::LinkType::ethernet;
  std::uint32_t snap_len = 0;  // 0 = not limited or not said
  std::uint8_t fcs_len = 0;    // frame check sequence of each frame; already removed from Frame
  std::string filter;          // capture filter recorded in the file
};

/// A stretch of the file that could not be read.
struct Damage {
  std::uint64_t offset = 0;  // in the (decompressed) input
  std::uint64_t bytes_lost = 0;
  std::string what;  // "record claims 3.1 GB; next sound record found at 0x4f2"
};

/// What is known about one input. Final once next() has returned false; counts are exact, `damage`
/// keeps the first 16.
struct SourceInfo {
  std::string name;    // as given; "-" is standard input
  std::string format;  // "pcap", "pcap (nanoseconds)", "pcap (modified)", "pcapng", "snoop", "live"
  std::string compression;  // "", "gzip", "zstd", "lz4", "xz"
  std::vector<InterfaceInfo> interfaces;
  std::uint64_t frames = 0;
  std::uint64_t bytes_read = 0;  // decompressed
  std::uint64_t file_bytes = 0;  // on disk; 0 for a pipe
  std::uint64_t damaged_bytes = 0;
  std::uint64_t damage_count = 0;
  std::vector<Damage> damage;
  bool cut_short = false;             // the last record is incomplete
  std::uint64_t reported_drops = 0;   // interface statistics blocks, or libpcap's ps_drop
  std::vector<std::string> comments;  // section and packet comments, the first 64
  std::string hardware, os, application;
};

/// A capture being read. Not copyable; one thread.
class Source {
 public:
  virtual ~Source() = default;
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  /// The next frame; false at the end. Never throws, never fails: damage is counted in info() and
  /// skipped.
  virtual bool next(wire::Frame& frame) = 0;
  /// Fills the front of `frames`, which is not empty, and returns how many; 0 at the end. The bytes
  /// of all of them are valid until the next read. A source fed by a running program returns what
  /// has come rather than wait.
  virtual std::size_t next_batch(std::span<wire::Frame> frames) {
    return next(frames.front()) ? 1 : 0;
  }
  [[nodiscard]] virtual const SourceInfo& info() const = 0;

  /// The bytes at byte_offset of the decompressed input if they are still at hand (always for a
  /// mapped file, the last kRetainedBytes for a stream), else an empty span. Used to compare a
  /// retransmission with its original.
  [[nodiscard]] virtual Bytes bytes_at(std::uint64_t byte_offset, std::size_t len) const = 0;
  /// True when the bytes of every frame stay valid for the source's whole life (mapped files,
  /// memory).
  [[nodiscard]] virtual bool stable_bytes() const { return false; }
  /// Position in the file as stored, for a progress display; equals file_bytes at the end.
  [[nodiscard]] virtual std::uint64_t position() const = 0;
};

/// How much of a stream that cannot be mapped is kept for comparisons.
inline constexpr std::size_t kRetainedBytes = 32u << 20;

/// Opens a file, or standard input for "-" (read while it is being written). `input` becomes
/// Frame::input. Errors: cannot open, is a directory, empty, no capture; foreign formats (.etl,
/// NetMon, ERF ...) are recognised by content and the hint says how to convert them. `stop`, where
/// given, ends the waiting for a pipe: once it is true the input counts as ended.
Result<std::unique_ptr<Source>> open_capture(const std::string& name, std::uint16_t input,
                                             const std::atomic<bool>* stop = nullptr);

/// The same for a capture that is already in memory, compressed or not. `bytes` must outlive the
/// source.
Result<std::unique_ptr<Source>> open_memory(Bytes bytes, const std::string& name,
                                            std::uint16_t input);

}  // namespace slowpath::capture
