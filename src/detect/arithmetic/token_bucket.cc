// SPDX-License-Identifier: Apache-2.0
#include "detect/arithmetic/token_bucket.h"

#include <algorithm>
#include <array>
#include <vector>

namespace slowpath::arithmetic {
namespace {

// Two packets of an Ethernet: the bucket is empty when less than one is left, and which of two
// neighbours was dropped is not always known.
constexpr double kEmptyBytes = 3000;
// What passes without tokens weighs double: a resend called needed that was not makes a false loss,
// nothing makes a false passage.
constexpr double kPassWeight = 2;
// Deep buckets: their rate is what passed over the time, but for credit at first and idle times.
constexpr double kLeastRateFactor = 0.8, kMostRateFactor = 1.6, kRateStep = 1.03;
// Shallow ones stand full most of the time, and what passed is a small part of their rate. Deeper
// ones at such rates keep the same books as a slow one that is emptied by bursts of one size: the
// slow one is meant.
constexpr double kMostShallowFactor = 6, kShallowStep = 1.12, kShallowBytes = 20 * 1024;
// Faster ones are asked only how short a queue may be that keeps the same books: up to the rate
// that refills them in half a millisecond, below which no queue shows above a host's jitter.
constexpr double kShortestRefill_s = 0.0005, kFastStep = 1.25;
constexpr double kLeastBurst = 6000, kBurstStep = 1.5;
// Scores closer than this do not tell two buckets apart.
constexpr double kAsGood = 0.02;
// So fast a one must explain all that the best does.
constexpr double kAsGoodIfFast = 0.002;
// Tokens found by passing bytes, in steps of the depth: enough for a quantile.
constexpr std::size_t kLevels = 64;

struct Simulation {
  TokenBucket bucket;
  double score = 0;
};

class Levels {
 public:
  explicit Levels(double depth) : step_(depth / kLevels) {}
  void add(double level, double bytes) {
    const auto i = static_cast<std::size_t>(std::clamp(level / step_, 0.0, kLevels - 1.0));
    bytes_[i] += bytes;
  }
  [[nodiscard]] double quantile(double share) const {
    double all = 0;
    for (const double b : bytes_) all += b;
    double sum = 0;
    for (std::size_t i = 0; i < kLevels; ++i) {
      sum += bytes_[i];
      if (sum >= share * all) return static_cast<double>(i + 1) * step_;
    }
    return kLevels * step_;
  }

 private:
  double step_;
  std::array<double, kLevels> bytes_{};
};

Simulation simulate(std::span<const Passage> passages, double rate, double depth, double slack) {
  double tokens = 0, last_s = passages.front().at_s;
  double passed = 0, passed_without = 0, near_empty = 0, left_empty = 0;
  double lost = 0, lost_with = 0;
  Levels levels(depth);
  for (const Passage& p : passages) {
    tokens = std::min(depth, tokens + rate * (p.at_s - last_s));
    last_s = p.at_s;
    if (p.passed > 0) {
      levels.add(tokens, p.passed);
      passed += p.passed;
      if (tokens <= slack) near_empty += p.passed;
      tokens -= p.passed;
      if (tokens <= slack) left_empty += p.passed;
      if (tokens < -slack) {
        passed_without += std::min(p.passed, -slack - tokens);
        tokens = -slack;
      }
    }
    if (p.lost > 0) {
      lost += p.lost;
      if (tokens > slack) lost_with += p.lost;
      tokens = 0;
    }
  }
  Simulation result;
  result.bucket = {.rate_bytes_per_s = rate,
                   .burst_bytes = depth,
                   .lost_with_tokens = lost > 0 ? lost_with / lost : 0,
                   .passed_without = passed > 0 ? passed_without / passed : 1,
                   .passed_near_empty = passed > 0 ? near_empty / passed : 1,
                   .left_near_empty = passed > 0 ? left_empty / passed : 1,
                   .level_bytes = levels.quantile(0.9)};
  result.score = result.bucket.lost_with_tokens + kPassWeight * result.bucket.passed_without;
  return result;
}

/// Tries buckets on what passed and what was lost, and keeps what came of each.
class Trial {
 public:
  Trial(std::span<const Passage> passages, double resolution_s)
      : passages_(passages), resolution_s_(resolution_s) {}

  void consider(double rate, double depth) {
    const double slack = kEmptyBytes + rate * resolution_s_;
    if (depth >= 2 * slack) tried_.push_back(simulate(passages_, rate, depth, slack));
  }
  [[nodiscard]] const Simulation* best() const {
    const auto best = std::ranges::min_element(tried_, {}, &Simulation::score);
    return best == tried_.end() ? nullptr : &*best;
  }
  /// The least delay of a queue that keeps the books of one of them, no worse than this.
  [[nodiscard]] double least_queue_s(double worst_score, double least_s) const {
    for (const Simulation& one : tried_) {
      if (one.score > worst_score) continue;
      least_s = std::min(least_s, one.bucket.level_bytes / one.bucket.rate_bytes_per_s);
    }
    return least_s;
  }

 private:
  std::span<const Passage> passages_;
  double resolution_s_;
  std::vector<Simulation> tried_;
};

void consider_likely(Trial& trial, double mean, double passed) {
  for (double depth = kLeastBurst; depth < std::max(2 * kShallowBytes, passed);
       depth *= kBurstStep) {
    for (double f = kLeastRateFactor; f < kMostRateFactor; f *= kRateStep)
      trial.consider(mean * f, depth);
    if (depth > kShallowBytes) continue;
    for (double f = kMostRateFactor; f < kMostShallowFactor; f *= kShallowStep)
      trial.consider(mean * f, depth);
  }
}

void consider_fast(Trial& trial, double mean) {
  for (double depth = kLeastBurst; depth <= kShallowBytes; depth *= kBurstStep) {
    const double most = depth / kShortestRefill_s;
    for (double rate = mean * kMostShallowFactor; rate < most; rate *= kFastStep)
      trial.consider(rate, depth);
  }
}

void consider_seen(Trial& trial, double rate, double passed) {
  for (double depth = kLeastBurst; depth < std::max(2 * kShallowBytes, passed);
       depth *= kBurstStep) {
    trial.consider(rate, depth);
  }
}

}  // namespace

std::optional<TokenBucket> fit_token_bucket(std::span<const Passage> passages, double resolution_s,
                                            double seen_bytes_per_s) {
  while (!passages.empty() && passages.front().lost <= 0) passages = passages.subspan(1);
  if (passages.empty()) return std::nullopt;
  double passed = 0;
  for (const Passage& p : passages) passed += p.passed;
  const double seconds = passages.back().at_s - passages.front().at_s;
  if (seconds <= 0 || passed <= 0) return std::nullopt;
  const double mean = passed / seconds;
  Trial likely(passages, resolution_s);
  consider_likely(likely, mean, passed);
  const Simulation* best = likely.best();
  if (best == nullptr) return std::nullopt;
  TokenBucket bucket = best->bucket;
  bucket.least_queue_s =
      likely.least_queue_s(best->score + kAsGood, bucket.level_bytes / bucket.rate_bytes_per_s);
  Trial fast(passages, resolution_s);
  consider_fast(fast, mean);
  bucket.least_queue_s = fast.least_queue_s(best->score + kAsGoodIfFast, bucket.least_queue_s);
  Trial seen(passages, resolution_s);
  if (seen_bytes_per_s > mean) consider_seen(seen, seen_bytes_per_s, passed);
  bucket.least_queue_s = seen.least_queue_s(best->score + kAsGood, bucket.least_queue_s);
  return bucket;
}

}  // namespace slowpath::arithmetic
