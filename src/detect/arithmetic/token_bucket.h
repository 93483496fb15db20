// SPDX-License-Identifier: Apache-2.0
// A token bucket fitted to what passed and what was lost (RFC 2697; Flach et al., SIGCOMM 2016). A
// policer drops what finds its bucket empty and nothing else; so the right rate and depth leave no
// loss while tokens are there, and nothing passed while there are none. A drop-tail queue keeps
// the same books, its room in the place of the tokens: only round-trip times tell the two apart.
#pragma once

#include <optional>
#include <span>

namespace slowpath::arithmetic {

/// Bytes sent at one time (seconds, from any origin), by what became of them.
struct Passage {
  double at_s = 0;
  double passed = 0;
  double lost = 0;
};

struct TokenBucket {
  double rate_bytes_per_s = 0;
  double burst_bytes = 0;        // depth; larger ones that never filled fit as well
  double lost_with_tokens = 0;   // share of the lost bytes: the bucket cannot have dropped these
  double passed_without = 0;     // share of the passed bytes: the bucket should have dropped these
  double passed_near_empty = 0;  // share of the passed bytes that found it all but empty: so many
                                 // losses would find it empty by chance
  double left_near_empty = 0;    // and of those at times that left it so: where a whole flight has
                                 // one time, its losses are asked after all of it, and so many of
                                 // them would find it empty by chance
  double level_bytes = 0;        // what nine of ten passed bytes found in it at most
  double least_queue_s = 0;  // level over rate, the least of all buckets that fit about as well:
                             // a queue that keeps these books would delay by this at least
};

/// The bucket that explains best what happened, from the first loss on. `resolution_s` is how well
/// times are known. Nothing without a loss, or when all happened at once. Passages in time order.
/// After each loss the bucket is taken for empty, so that an error does not add up.
/// `seen_bytes_per_s`: the rate at which the path was seen to space packets out, 0 if none: where a
/// queue of that rate keeps the books about as well, `least_queue_s` knows of it.
std::optional<TokenBucket> fit_token_bucket(std::span<const Passage> passages, double resolution_s,
                                            double seen_bytes_per_s = 0);

}  // namespace slowpath::arithmetic
