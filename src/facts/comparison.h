// SPDX-License-Identifier: Apache-2.0
// What two or more captures of the same traffic say about what lies between them: where bytes were
// lost, delayed, cut anew, rewritten or changed. Aligned by ranges of the stream, because packets
// differ from point to point. Plain data; made by flow/comparison.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "facts/address.h"
#include "facts/direction.h"
#include "facts/frame_ref.h"

namespace slowpath {

/// One capture point. In ComparisonFacts they stand in the order in which a packet to the server
/// passes them.
struct ComparedPoint {
  std::string name;                   // of --at NAME=FILE, else the file's
  std::vector<std::uint16_t> inputs;  // its files
  std::uint64_t tcp_packets = 0, connections = 0;
  std::uint64_t tap_copies = 0;         // the same packet again, seen at a second device; left out
  std::uint64_t forgotten_packets = 0;  // beyond the memory budget: compared up to `last` only
  Time first{}, last{};                 // of what is compared, by this point's clock
};

/// How the clocks of two points go. Every packet to the server bounds the difference of the clocks
/// on one side, every packet to the client on the other, as no packet arrives before it was sent; a
/// straight line must pass between (Duda, Harrus, Haddad, Bernard: Estimating global time in
/// distributed systems, ICDCS 1987).
struct ClockRelation {
  std::size_t from = 0, to = 0;                // positions in ComparisonFacts::points
  std::uint64_t to_server = 0, to_client = 0;  // pairs of packets used
  bool known = false;    // bounded on both sides; else delays are above the smallest only
  double offset_s = 0;   // what `to` shows less what `from` shows, at `at`
  double error_s = 0;    // the true offset is within it, either way
  Time at{};             // by the clock of `from`
  double drift_ppm = 0;  // how much faster `to` goes
  double drift_error_ppm = 0;
  bool drifts = false;  // no drift at all does not fit
  double misfit_s =
      0;  // how far no straight line fits; 0: one does. Clocks were set, or stamps are rough
  double span_s = 0;        // first pair to last
  double round_trip_s = 0;  // least time from point to point and back
};

/// A frame, and the one that carried its bytes (or some of them) at the other point.
struct FramePair {
  FrameRef upstream, downstream;
};
struct PairExemplars {
  static constexpr std::size_t kKept = 6;
  std::uint64_t count = 0;
  std::array<FramePair, kKept> first{};
  [[nodiscard]] constexpr std::size_t kept() const {
    return count < kKept ? static_cast<std::size_t>(count) : kKept;
  }
};
constexpr void note(PairExemplars& exemplars, FramePair pair) {
  if (exemplars.count < PairExemplars::kKept)
    exemplars.first[static_cast<std::size_t>(exemplars.count)] = pair;
  ++exemplars.count;
}

/// A frame that was sent on upstream and of which bytes never came downstream: this copy, whatever
/// others did.
struct LostCopy {
  FrameRef frame;
  Time time{};
  std::int64_t begin = 0;  // in the stream: 0 is the first byte after the SYN (or the first seen)
  std::uint32_t len = 0, lost = 0;  // payload; how much of it did not come
  std::uint32_t ip_len = 0;
  bool resend = false;  // another copy of these bytes had passed upstream before
};
struct BetweenLosses {
  static constexpr std::size_t kKept = 256;
  std::uint64_t packets = 0, bytes = 0;  // copies of which bytes did not come; those bytes
  std::uint64_t resends = 0;             // of these copies
  std::uint64_t episodes = 0;            // runs of them, without a copy between that came
  std::uint64_t large_lost = 0,
                large_passed =
                    0;  // frames of several segments upstream: of which nothing came; all or a part
  std::uint64_t large_partly = 0;                    // of the latter, a part
  std::uint64_t single_lost = 0, single_passed = 0;  // frames of one segment, or less
  std::uint32_t largest_passed_ip_len = 0;           // upstream
  std::uint32_t smallest_lost_ip_len = 0, largest_lost_ip_len = 0;
  Exemplars frames, large_frames;
  std::vector<LostCopy> copies;         // the first kKept
  std::uint64_t large_then_pieces = 0;  // bytes lost in a large frame that came in smaller ones
  Exemplars piece_frames;               // of those, upstream
};

/// Time between the points, above the least. `least_s` is right within the clocks' error, all
/// others exactly.
struct DelayMoment {
  FramePair frames;
  Time time{};
  double above_least_s = 0;
};
struct DelayBin {
  Time begin{};
  std::uint32_t packets = 0;
  float mean_s = 0, max_s = 0;  // above the least
};
struct BetweenDelay {
  static constexpr std::size_t kWorst = 6, kBins = 128;
  std::uint64_t samples = 0;
  double least_s = 0, median_s = 0, p95_s = 0, max_s = 0;  // all but the first above the least
  std::vector<DelayMoment> worst;                          // the greatest first
  std::vector<DelayBin> bins;  // in order of time; only those with samples
};

struct BetweenCuts {
  std::uint64_t same = 0;                   // frames that came as they were
  std::uint64_t split = 0, split_into = 0;  // frames upstream that came as several, and as how many
  std::uint64_t merged = 0, merged_from = 0;  // frames downstream made of several, and of how many
  PairExemplars split_frames, merged_frames;
};

/// What a box on the way may rewrite.
enum class Rewritten : std::uint8_t {
  ttl,
  ecn,
  dont_fragment,
  ip_id,
  window,
  mss,
  window_scale,
  sack_permitted,
  timestamps,
  fast_open,
  multipath,
  timestamp_value,
  sack_blocks,
  ecn_setup,
};
inline constexpr std::size_t kRewrittenCount = 14;
struct Rewrite {
  Rewritten what = Rewritten::ttl;
  std::uint64_t compared = 0, changed = 0;  // packets
  std::int64_t from = 0, to = 0;  // the first; -1: the option is absent. sack_blocks: how far the
                                  // ACK number was shifted, and how far the blocks were
  PairExemplars frames;
};

enum class ChecksumSeen : std::uint8_t { unknown, good, unfinished, bad };

/// Bytes that differ between the points.
struct ChangedRange {
  static constexpr std::size_t kExcerptSide = 256;
  FramePair frames;
  Time time{};
  std::int64_t begin = 0;  // of what was compared, in the stream
  std::uint32_t compared = 0, differing = 0;
  std::uint32_t first_difference = 0, last_difference = 0;  // from `begin`
  std::uint32_t upstream_offset = 0,
                upstream_len = 0;  // of `begin` in the payload of the frame; that payload
  std::uint32_t downstream_offset = 0, downstream_len = 0;
  ChecksumSeen upstream_checksum = ChecksumSeen::unknown,
               downstream_checksum = ChecksumSeen::unknown;
  // Around the first difference, up to kExcerptSide bytes each side; both begin at `begin` +
  // excerpt_offset.
  std::uint32_t excerpt_offset = 0;
  std::vector<std::byte> expected, seen;  // upstream, downstream
};
struct BetweenContents {
  static constexpr std::size_t kKept = 64;
  std::uint64_t identical_bytes = 0;     // captured at both points and equal
  std::uint64_t not_compared_bytes = 0;  // cut by a snap length, or no longer at hand
  std::uint64_t changed_good = 0;        // ranges that differ, and no checksum shows it
  std::uint64_t changed_bad = 0;         // ranges that differ, under a bad checksum downstream
  std::uint64_t changed_bytes = 0;       // differing bytes, of both kinds
  PairExemplars changed_good_frames, changed_bad_frames;
  std::vector<ChangedRange> ranges;  // the first kKept
  // Checksums of frames at both points.
  std::uint64_t upstream_bad = 0, downstream_bad = 0,
                downstream_verified = 0;  // verified: finished, right or wrong
  std::uint64_t became_bad = 0;           // good or unverifiable upstream, bad downstream
  std::uint64_t unfinished_became_bad =
      0;  // of these: the sum was left to the NIC upstream, the bytes are the same
  std::uint64_t still_unfinished =
      0;  // left to the NIC upstream, as it was downstream, and sent again later
  PairExemplars became_bad_frames, unfinished_frames;
};

/// Errors about this direction's packets ("fragmentation needed"), which travel against it.
struct BetweenIcmp {
  std::uint64_t passed = 0;            // seen at both points
  std::uint64_t refused_between = 0;   // seen upstream only: made between the points
  std::uint64_t filtered_between = 0;  // seen downstream only: dropped on their way back
  Exemplars refused_frames, filtered_frames;
  IpAddress from;  // of the first of either
  std::uint8_t type = 0, code = 0;
  std::uint32_t mtu = 0, quoted_ip_len = 0;
};

/// What became of one direction's packets between two points.
struct BetweenFacts {
  std::size_t upstream = 0,
              downstream =
                  0;  // positions in ComparisonFacts::points; packets pass `upstream` first
  Direction direction = Direction::to_server;
  std::size_t clock = 0;           // position in ComparisonFacts::clocks
  std::uint32_t segment_size = 0;  // most payload of one segment by the handshake; 0 unknown
  std::uint64_t upstream_packets = 0, upstream_bytes = 0;  // with payload, while both captured
  std::uint64_t downstream_packets = 0, downstream_bytes = 0;
  std::uint64_t matched_bytes = 0;
  BetweenLosses losses;
  std::uint64_t unrecorded_packets =
      0;  // not seen downstream although acknowledged there: missed by that capture
  std::uint64_t unsourced_packets =
      0;  // not seen upstream: missed by that capture, or made between
  Exemplars unrecorded, unsourced;
  std::uint64_t duplicated_packets = 0;  // came twice, sent once
  PairExemplars duplicated;
  std::uint64_t overtaken_packets = 0;  // came after one sent later
  PairExemplars overtaken;
  std::uint64_t bare_packets = 0, bare_lost = 0;  // without payload (ACKs, SYNs, FINs, RSTs)
  bool bare_comparable = false;                   // most of them were found again
  Exemplars bare_lost_frames;
  std::uint64_t syn_packets = 0, syn_lost = 0;  // of these, SYNs and SYN-ACKs
  bool nothing_came =
      false;  // of at least three packets, although the other direction passes both points
  std::int32_t sequence_shift = 0;   // what was added to sequence numbers
  bool addresses_rewritten = false;  // either end's address or port
  BetweenDelay delay;
  BetweenCuts cuts;
  std::vector<Rewrite> rewrites;  // those that changed anything
  BetweenContents contents;
  BetweenIcmp icmp;
};

/// One connection at one point.
struct PassedPoint {
  std::size_t point = 0;    // position in ComparisonFacts::points
  Endpoint client, server;  // as they are called there
  FrameRef first_frame;
  std::uint64_t packets = 0;
  std::optional<std::uint32_t> connection;  // its id in Case::connections, where it has one
};

enum class PairedBy : std::uint8_t { addresses, sequence_numbers, timestamps, contents };

/// One connection at several points.
struct ComparedConnection {
  std::vector<PassedPoint> points;           // in order
  PairedBy paired_by = PairedBy::addresses;  // the weakest link between any two
  std::vector<BetweenFacts> between;         // of neighbouring points; two directions each
};

/// A connection that passed one point and no other, although packets of others did and it was sent
/// while all captured.
struct UnpairedConnection {
  std::size_t point = 0;
  Endpoint client, server;
  FrameRef first_frame;
  std::uint64_t packets = 0;
  bool only_syns = false;  // nothing but SYNs, never answered
  std::optional<std::uint32_t> connection;
};

struct ComparisonFacts {
  std::vector<ComparedPoint> points;  // empty: nobody asked for a comparison
  bool order_known = false;           // by the times of packets; else as given
  std::vector<ClockRelation> clocks;
  std::vector<ComparedConnection> connections;  // the first kMostConnections
  std::uint64_t connections_shared = 0;         // all that passed two points or more
  std::vector<UnpairedConnection> unpaired;     // the first 64
  std::uint64_t unpaired_total = 0;
  std::map<std::uint32_t, std::size_t>
      by_connection;  // ids of Case::connections: positions in `connections`
  static constexpr std::size_t kMostConnections = 4096;
};

}  // namespace slowpath
