// SPDX-License-Identifier: Apache-2.0
// The packets behind a download: captured while it runs, and asked afterwards which of them carried
// the bytes that differ.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "base/result.h"
#include "capture/pcapng_writer.h"
#include "capture/source.h"
#include "facts/fetch.h"

namespace slowpath::cli {

/// Writes what an interface sees to a file, in a thread of its own, until stopped.
class FetchCapture {
 public:
  /// `interface` empty: the one that leads to the URL's host. Errors: no permission (environment),
  /// no such interface (usage), a file that cannot be written.
  static Result<std::unique_ptr<FetchCapture>> start(const std::string& url, std::string interface,
                                                     const std::string& file);
  ~FetchCapture();
  FetchCapture(const FetchCapture&) = delete;
  FetchCapture& operator=(const FetchCapture&) = delete;

  /// Waits a moment for what is still on its way, and closes the file.
  Result<void> stop();

 private:
  FetchCapture() = default;
  void run();

  std::atomic<bool> stopped_{false};
  std::unique_ptr<capture::Source> source_;
  std::unique_ptr<capture::PcapngWriter> writer_;
  std::thread thread_;
};

/// Fills in capture_file, packets, and what diagnose says of the capture.
void look_at_packets(FetchFacts& facts, const std::string& file);

}  // namespace slowpath::cli
