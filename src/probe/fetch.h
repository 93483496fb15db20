// SPDX-License-Identifier: Apache-2.0
// Downloads a URL several times and proves every byte: each copy is hashed, compared with the
// others and with what is expected, and where they differ the bytes of both are brought home. With
// a file to upload, each round sends it up first and compares what comes back. Measures; judges
// nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "facts/fetch.h"
#include "probe/http.h"

namespace slowpath::probe {

struct FetchProgress {
  std::uint32_t round = 0, rounds = 0;  // from 1
  bool is_upload = false;
  std::uint64_t bytes = 0, total_bytes = 0;  // of this copy; a total of 0 is not known
  double elapsed_s = 0;                      // since this copy began
};

struct FetchOptions {
  std::string url;
  HttpOptions http;
  std::uint32_t repeats = 3;
  std::optional<FetchDigest> expected;
  std::string expected_file;                           // compared with byte by byte; empty without
  std::string upload_file;                             // likewise, and sent up first
  std::uint64_t spool_bytes = std::uint64_t{4} << 30;  // of the first copy kept on the disk
  std::function<void(const FetchProgress&)> progress;
};

/// Stops after the first copy that could not be had at all; a truncated one does not end the
/// rounds. Errors: a local file that cannot be read (input), no URL (usage), no room for the spool
/// (environment). What the server and the path do is in the facts.
Result<FetchFacts> fetch(const FetchOptions& options);

}  // namespace slowpath::probe
