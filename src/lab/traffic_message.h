// SPDX-License-Identifier: Apache-2.0
// What one process of a transfer hands back when it ends, and its form as bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "lab/pattern.h"
#include "lab/traffic.h"

namespace slowpath::lab {

/// The sending half of a stream.
struct SenderReport {
  std::uint64_t bytes = 0;  // taken by the socket
  std::vector<TcpSample> samples;
  std::optional<TcpSample> last;
};

/// The receiving half.
struct ReceiverReport {
  std::uint64_t bytes = 0;
  std::int64_t ended_ns = 0;  // when the last byte was read, or the limit came
  bool complete = false;
  std::uint64_t wrong = 0;
  std::vector<Difference> differences;
  std::vector<TcpSample> samples;             // empty where this end sends too
  std::string expected_sha256, found_sha256;  // empty if not computed
};

/// One process.
struct EndReport {
  std::string name;   // its socket's own address: "10.1.0.2:40112"
  std::string error;  // the first that happened: "connect: Connection timed out"
  std::int64_t began_ns = 0, connected_ns = 0;
  std::optional<SenderReport> sender;
  std::optional<ReceiverReport> receiver;
  std::uint64_t attempts = 0, successes = 0;
  double median_seconds = 0, worst_seconds = 0;
};

/// CBOR. Both processes are the same program.
std::vector<std::uint8_t> pack(const EndReport& report);
/// None if the bytes are cut: the process was killed.
std::optional<EndReport> unpack(const std::vector<std::uint8_t>& bytes);

}  // namespace slowpath::lab
