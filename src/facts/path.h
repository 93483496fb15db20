// SPDX-License-Identifier: Apache-2.0
// What a pair of hosts shares: several connections, fragments, silences that hit all of them at once.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "facts/address.h"
#include "facts/frame_ref.h"

namespace slowpath {

/// IP fragments sent one way between two hosts.
struct FragmentFacts {
  std::uint64_t fragments = 0;
  std::uint64_t datagrams = 0;
  std::uint64_t complete = 0;                // every fragment was captured
  std::uint64_t out_of_order = 0;            // datagrams whose fragments came in another order than offsets
  std::uint64_t incomplete = 0;              // some fragments never came
  std::uint64_t first_only = 0;              // of these, of UDP, nothing but the first one came, which alone has ports; no ACK tells of the rest
  std::uint64_t garbled = 0;                 // likewise incomplete, but a header's checksum was wrong: not what was sent
  std::uint64_t answerable = 0;              // datagrams to which an answer is expected (echo request, TCP data, DNS ...)
  std::uint64_t answered = 0;
  std::uint64_t out_of_order_answerable = 0, out_of_order_answered = 0;
  std::uint64_t reassembly_timeouts = 0;     // ICMP 11/1 (or v6 3/1) sent back
  // Identifications that came round: a fragment with other bytes at the place of an earlier one, within the time that
  // receivers wait for the rest (RFC 4963).
  std::uint64_t id_reuses = 0;
  std::uint64_t id_reuses_open = 0;          // while a fragment of the earlier datagram was still missing, or once it had been mixed
  double id_reuse_shortest_s = 0;            // of these; 0 = none
  Exemplars id_reuse_frames;                 // the fragments that show it, of these
  double answer_wait_s = 0;                  // time lost waiting for those that got none
  Exemplars unanswered_frames, out_of_order_frames, incomplete_frames, answered_frames, timeout_frames;
};

struct PathFacts {
  IpAddress a, b;                            // a < b
  std::vector<std::uint32_t> connections;    // ids
  std::array<FragmentFacts, 2> fragments;    // a to b, b to a
  // Unfragmented packets of the same kind, for comparison: echo requests and their answers, a to b and b to a.
  std::array<std::uint64_t, 2> small_requests{}, small_answered{};
  // Silences in which every connection of the pair that had data outstanding got no answer.
  struct Outage {
    Time begin{};
    double seconds = 0;
    std::uint32_t connections = 0;
    bool ended = true;
  };
  std::vector<Outage> outages;
};

}  // namespace slowpath
