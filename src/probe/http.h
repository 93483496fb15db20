// SPDX-License-Identifier: Apache-2.0
// One HTTP or HTTPS request on a connection of its own, through libcurl: what came is given to a
// sink as it comes, what the server said and how the connection fared is filled in. Stores nothing,
// decodes no content encoding, judges nothing. The only file that knows libcurl is http.cc.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "facts/fetch.h"

namespace slowpath::probe {

/// How to reach the server; the same for all requests of a question.
struct HttpOptions {
  std::vector<std::string> headers;  // "Name: value"
  std::string user;                  // "NAME:PASSWORD"
  std::string authorities_file;      // instead of the system's
  std::string http_version;          // "1.0", "1.1", "2"; empty: as the server likes
  bool trusts_anybody = false;       // does not verify certificates
  int ip_version = 0;                // 4 or 6; 0: either
  Duration connect_timeout = std::chrono::seconds(10);
  Duration stall_timeout = std::chrono::seconds(30);  // without a byte
  Duration timeout{};                                 // of a whole request; 0: none
  const std::atomic<bool>* stop = nullptr;            // outlives the request
};

struct HttpRange {
  std::uint64_t offset = 0, len = 0;
};

struct HttpRequest {
  std::string url;
  std::optional<HttpRange> range;
  /// The body to PUT: fills the span and says how much; 0 is the end. Without it the request is
  /// GET.
  std::function<std::size_t(std::span<std::byte>)> upload;
  std::uint64_t upload_bytes = 0;
  /// The final answer's header has come and its body begins.
  std::function<void(const FetchedCopy&)> begin;
  /// Bytes of the body of the final answer, in order. False ends the request (end `stopped`).
  std::function<bool(Bytes)> sink;
  /// Called several times a second: bytes of the body so far, and those announced (0: not known).
  std::function<void(std::uint64_t, std::uint64_t)> progress;
};

/// Everything but the digests. Errors: only those of the caller (a URL that is none: usage; no
/// memory: environment); what the server and the path do is in FetchedCopy::end.
Result<FetchedCopy> http_exchange(const HttpRequest& request, const HttpOptions& options);

/// The parts of a URL that a capture needs: host and port. Errors: no HTTP URL (usage).
struct HttpAuthority {
  std::string host;
  std::uint16_t port = 0;
};
Result<HttpAuthority> http_authority(const std::string& url);

}  // namespace slowpath::probe
