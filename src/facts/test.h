// SPDX-License-Identifier: Apache-2.0
// What an active test measured between two hosts: amounts over time, the kernels' own account of
// each socket, the processors, and whether what arrived is what was sent. Made by probe/; plain
// data. Seconds are doubles, counted from the test's start unless told otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "facts/machine.h"

namespace slowpath {

/// A stretch of a stream that arrived otherwise than it was sent. Two stretches with fewer than 64
/// equal bytes between them are one.
struct ContentDifference {
  static constexpr std::size_t kExcerptBytes = 1536;  // a segment of Ethernet's size
  std::uint64_t offset = 0;     // of its first byte, in the stream as it was received
  std::uint64_t length = 0;     // from the first byte that differs to the last
  std::uint64_t differing = 0;  // bytes
  // Both from `offset` on, as far as `length`, at most kExcerptBytes.
  std::vector<std::byte> expected, seen;
  /// Where in the stream as it was sent these bytes belong, if they are bytes of it at all: a stale
  /// or repeated segment, or bytes put in or left out before it.
  std::optional<std::uint64_t> found_at;
};

struct IntegrityFacts {
  static constexpr std::size_t kKept = 64;
  std::uint64_t checked_bytes = 0;
  std::uint64_t differing_bytes = 0;  // those that stand in another place than they belong, too
  std::uint64_t places = 0;           // stretches that differ
  std::vector<ContentDifference> differences;  // the first kKept
  /// Where the stream ended, bytes stood so far from where they belong: positive = bytes were left
  /// out, negative = bytes were put in. 0 = in place.
  std::int64_t displaced_by = 0;
};

/// Round trips of a sender's sockets while it sent.
struct TestRtt {
  std::uint64_t samples = 0;
  double min_s = 0, median_s = 0, p95_s = 0, max_s = 0;
};

struct TestInterval {
  double begin_s = 0, end_s = 0;
  std::uint64_t bytes = 0;  // of all streams
};

/// One stream in one direction.
struct TestStream {
  std::uint32_t number = 0;
  std::uint64_t sent_bytes = 0, received_bytes = 0;  // counted ones
  /// The sender's own account, of the counted time; amounts are since counting began.
  std::optional<SocketFacts> sender;
  std::string error;  // what ended it early, at either end; empty if nothing did
};

/// One direction of a run.
struct TestFlow {
  bool to_server = true;
  double counted_s = 0;    // how long the sender sent
  double goodput_bps = 0;  // by the receiver: bytes taken over the time they took
  double sent_bps = 0;     // by the sender, with what still waited in its buffers
  std::uint64_t received_bytes = 0;
  std::vector<TestInterval> intervals;  // the receiver's
  std::vector<TestStream> streams;
  TestRtt rtt;
  bool verified = false;     // every byte was compared
  IntegrityFacts integrity;  // of all streams; offsets are those of the stream that was hit
  bool complete = false;     // all streams ended as planned
};

/// What a run cost an end.
struct TestHost {
  double elapsed_s = 0;
  double own_user_s = 0, own_system_s = 0;  // of the thread that moved the bytes
  std::vector<CpuFacts> cpus;               // over the run
  /// TCP segments that came with a wrong checksum meanwhile, whoever they were for
  /// (TcpInCsumErrors); absent where the system does not count them.
  std::optional<std::uint64_t> bad_checksums = {};
};

struct TestRun {
  std::vector<TestFlow> flows;  // one, or two for both directions at once
  TestHost client, server;
  std::string label;  // of a sweep's point: "window 65536"; else empty
  double value = 0;   // the swept one
};

struct TestFacts {
  std::string host;         // as the user named it
  Endpoint client, server;  // of the control connection
  std::string server_version;
  std::string content;                              // "random", "text", "zeros", "file"
  std::uint64_t content_bytes = 0;                  // of a file: so many are sent over and over
  std::string sweep;                                // "window", "mss", "streams"; empty = no sweep
  bool interrupted = false;                         // by the user: what was measured so far
  double asked_rate_bps = 0;                        // of each stream; 0 = as fast as it goes
  std::optional<std::uint64_t> asked_buffer_bytes;  // by the user; absent = the system's choice
  std::optional<double> rtt_idle_s;                 // before anything was sent
  std::optional<double> client_ceiling_bps, server_ceiling_bps;  // over loopback, with itself
  std::vector<TestRun> runs;
};

}  // namespace slowpath
