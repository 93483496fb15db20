// SPDX-License-Identifier: Apache-2.0
// What several downloads of one URL showed: each copy as it came, and where copies differ. Plain
// data; judged by detect/fetch_verdict.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace slowpath {

/// How a request ended.
enum class FetchEnd : std::uint8_t {
  complete,     // all the body that was announced, or up to the end that the server made
  truncated,    // the body ended early
  status,       // the server answered with an error
  no_name,      // the name has no address
  refused,      // the connection was refused
  unreachable,  // no route, or nothing answered
  certificate,  // TLS could not be agreed, or the certificate is not trusted
  tls_damaged,  // a TLS record failed its authentication: bytes were changed on the way
  stalled,      // nothing came for too long
  protocol,     // what came is no HTTP, or too many redirects
  stopped,      // by a signal
};

/// A hash in lower-case hexadecimal. An empty value is none.
struct FetchDigest {
  std::string algorithm;  // "sha256" or "md5"
  std::string hex;
  std::string from;  // "--expect", "the file x.iso", "Content-MD5"
};

/// The kernel's own account of the connection that carried a body (TCP_INFO), read as it closed.
struct FetchTcp {
  bool known = false;
  double rtt_us = 0, rtt_min_us = 0;
  std::uint32_t segment_size = 0;  // payload bytes of the peer's segments, as the kernel estimates
  std::uint64_t retransmits = 0;   // our own segments
  std::uint64_t out_of_order = 0;  // segments that arrived so: Linux 5.4 and later
  std::uint64_t bytes_received = 0;  // payload, headers and TLS included
  std::uint64_t segments_in = 0;     // with data
};

/// One answer of the server, and what its body hashes to.
struct FetchedCopy {
  bool is_upload = false;  // the file went up; `bytes` are those sent
  FetchEnd end = FetchEnd::complete;
  std::string end_words;  // what happened, where the end is not `complete`
  std::string url;        // after redirects
  std::uint32_t redirects = 0, status = 0;
  std::string local, server;  // ADDRESS and PORT of both ends, "" if never connected
  std::uint16_t local_port = 0, server_port = 0;
  std::string http_version, tls_version;  // "1.1", "TLSv1.3"; empty without
  std::string etag, last_modified, content_encoding, content_type, software, via, age;
  std::vector<FetchDigest> stated;  // digests that the server states
  bool is_chunked = false, takes_ranges = false;
  std::optional<std::uint64_t> announced_bytes;  // Content-Length
  std::uint64_t bytes = 0;                       // of the body
  std::uint64_t header_bytes = 0;                // of the last answer
  std::uint32_t answers = 0;  // the last included: redirects, and those that ask who it is
  double name_s = 0, connect_s = 0, first_byte_s = 0, total_s = 0;  // from the beginning
  std::vector<FetchDigest> digests;                                 // of the body that came
  FetchTcp tcp;

  /// Body bytes over the time from the first byte to the last; 0 where there was none.
  [[nodiscard]] double rate_bps() const {
    const double moving_s = is_upload ? total_s : total_s - first_byte_s;
    return moving_s > 0 ? static_cast<double>(bytes) * 8 / moving_s : 0;
  }
  /// Where the body begins in the stream of the TCP connection; nothing where bytes of the body do
  /// not follow each other there, or more than one answer came before.
  [[nodiscard]] std::optional<std::uint64_t> body_begin() const {
    const bool plain = tls_version.empty() && !is_chunked && http_version.starts_with("1");
    return plain && answers == 1 ? std::optional(header_bytes) : std::nullopt;
  }
};

/// How it is known which bytes are right.
enum class FetchAuthority : std::uint8_t {
  unknown,      // two versions, and nothing tells
  majority,     // most copies have them
  asked_again,  // another download of this range has them
  digest,       // the copy with the expected hash has them
  file,         // the local file has them
};

/// Where one copy differs from what is right: one block, or several that follow each other.
struct FetchDifference {
  std::size_t copy = 0;      // position in FetchFacts::copies
  std::uint64_t offset = 0;  // of the first byte kept, in the body
  std::vector<std::byte> expected, seen;
  std::uint64_t first = 0, last = 0;  // body offsets of the first and last byte that differ
  std::uint64_t differing = 0;        // bytes
  FetchAuthority authority = FetchAuthority::unknown;
  std::uint64_t nearby_offset = 0;  // of `nearby` in the body
  std::vector<std::byte> nearby;    // other content of the body around it; may be empty
};

/// The packet of a capture that carried the first byte of a difference.
struct FetchPacket {
  std::size_t difference = 0;
  std::uint64_t frame = 0;  // as Wireshark counts
  bool checksum_good = false, checksum_known = false;
  bool carried_wrong = false;  // as the copy has it; else as it should be
};

struct FetchFacts {
  std::string url;
  std::uint32_t repeats = 0;  // asked for
  std::string uploaded_file;  // empty without
  bool interrupted = false;
  std::vector<FetchedCopy> copies;  // in order of time
  std::optional<FetchDigest> expected;
  std::uint64_t expected_bytes = 0;  // of the local file; 0 = not known
  bool has_file = false;             // compared with a local file, byte by byte
  std::uint64_t block_bytes = 0;
  std::uint64_t blocks_compared = 0, blocks_differing = 0;  // over all copies
  std::uint64_t differing_bytes = 0;                        // in the blocks that were kept
  std::uint64_t blocks_not_kept = 0;  // that differ, and whose bytes are not at hand
  std::vector<FetchDifference> differences;
  std::string capture_file;  // empty without
  std::string capture_problem;
  std::string capture_verdict, capture_summary;  // what diagnose says of it; empty without
  std::vector<FetchPacket> packets;
};

}  // namespace slowpath
