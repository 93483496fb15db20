// SPDX-License-Identifier: Apache-2.0
#include "probe/path/size_sweep.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <thread>
#include <utility>

#include "probe/path/stopwatch.h"

namespace slowpath::probe {
namespace {

// Sizes at which paths end, tried first (RFC 1191 section 7.1, and what tunnels leave of Ethernet):
// 576, IPv6's 1280, VPNs 1380-1450, PPPoE 1492, Ethernet, FDDI, jumbo frames.
constexpr std::uint32_t kUsual[] = {576,  1280, 1380, 1400, 1420, 1450, 1472,
                                    1492, 1500, 4352, 8000, 9000, 9216};
constexpr std::uint32_t kLeastTries = 3, kMostTries = 8;
constexpr double kFalseFailure = 1e-3;  // chance that all tries of a size that passes are lost

class Sweep {
 public:
  Sweep(SizeProbe& probe, const SweepLimits& limits)
      : probe_(probe), limits_(limits), deadline_(steady_ns() + limits.longest.count()) {
    result_.ceiling_bytes = limits.ceiling_bytes;
  }

  SizeSweep run() {
    if (find_floor()) {
      narrow();
      confirm();
    }
    finish();
    return std::move(result_);
  }

 private:
  struct Tally {
    std::uint32_t sent = 0, passed = 0, reported = 0,
                  counted = 0;  // counted: beside a small one that passed
  };

  [[nodiscard]] bool is_over() const {
    return steady_ns() >= deadline_ || (limits_.stopped && limits_.stopped());
  }
  [[nodiscard]] std::uint32_t tries() const;
  bool find_floor();
  void narrow();
  void confirm();
  void finish();
  void fire(const std::vector<std::uint32_t>& sizes);
  void note(std::uint32_t size, const ProbeAnswer& answer, bool control_passed);
  void note_report(std::uint32_t size, const ProbeAnswer& answer);
  [[nodiscard]] std::vector<std::uint32_t> candidates() const;
  [[nodiscard]] std::vector<std::uint32_t> undecided(const std::vector<std::uint32_t>& sizes) const;
  void settle_bounds();

  SizeProbe& probe_;
  const SweepLimits& limits_;
  std::int64_t deadline_;
  Duration wait_{std::chrono::milliseconds(500)};
  std::map<std::uint32_t, Tally> tallies_;
  std::map<std::pair<IpAddress, std::uint32_t>, MtuReport> reports_;
  std::uint32_t low_ = 0, high_ = 0;  // passed; failed, one more than the ceiling where nothing did
  double rtt_max_s_ = 0;
  bool fired_ = false;
  SizeSweep result_;
};

/// More on a lossy path, so that chance alone hardly ever makes a size fail.
std::uint32_t Sweep::tries() const {
  const double sent = std::max(1U, result_.control_sent);
  const double lost = 1 - static_cast<double>(result_.control_passed) / sent;
  if (lost <= 0.05) return kLeastTries;
  const double needed = std::log(kFalseFailure) / std::log(std::min(lost, 0.9));
  return std::clamp(static_cast<std::uint32_t>(std::ceil(needed)), kLeastTries, kMostTries);
}

void Sweep::note_report(std::uint32_t size, const ProbeAnswer& answer) {
  MtuReport& report = reports_[{answer.from, answer.mtu}];
  report.from = answer.from;
  report.mtu_bytes = answer.mtu;
  ++report.count;
  if (report.smallest_refused_bytes == 0 || size < report.smallest_refused_bytes) {
    report.smallest_refused_bytes = size;
  }
  report.largest_refused_bytes = std::max(report.largest_refused_bytes, size);
}

void Sweep::note(std::uint32_t size, const ProbeAnswer& answer, bool control_passed) {
  if (answer.fate == Fate::too_large_here) {
    const std::uint32_t most = answer.mtu > 0 && answer.mtu < size ? answer.mtu : size - 1;
    result_.ceiling_bytes = std::min(result_.ceiling_bytes, most);
    high_ = std::min(high_, result_.ceiling_bytes + 1);
    return;
  }
  Tally& tally = tallies_[size];
  ++tally.sent;
  if (answer.fate == Fate::passed) {
    ++tally.passed;
    rtt_max_s_ = std::max(rtt_max_s_, answer.rtt_s);
  } else if (answer.fate == Fate::refused) {
    ++tally.reported;
    ++tally.counted;
    note_report(size, answer);
  } else if (control_passed) {
    ++tally.counted;
  }
}

/// One volley, with a small packet beside the others.
void Sweep::fire(const std::vector<std::uint32_t>& sizes) {
  if (std::exchange(fired_, true)) std::this_thread::sleep_for(probe_.pause());
  std::vector<std::uint32_t> all = sizes;
  all.push_back(limits_.floor_bytes);
  const std::vector<ProbeAnswer> answers = probe_.volley(all, wait_);
  const bool control_passed = answers.back().fate == Fate::passed;
  ++result_.control_sent;
  if (control_passed) ++result_.control_passed;
  for (std::size_t i = 0; i < sizes.size(); ++i) note(sizes[i], answers[i], control_passed);
  // A queue on the way may be longer than the first answers showed.
  wait_ = std::clamp(from_seconds(4 * rtt_max_s_ + 0.1), Duration(std::chrono::milliseconds(200)),
                     limits_.most_wait);
}

bool Sweep::find_floor() {
  wait_ = limits_.most_wait;
  high_ = result_.ceiling_bytes + 1;
  for (std::uint32_t attempt = 0; attempt < kLeastTries + 1 && !is_over(); ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(probe_.pause());
    const std::uint32_t floor = limits_.floor_bytes;
    const ProbeAnswer answer = probe_.volley({&floor, 1}, wait_).front();
    fired_ = true;
    ++result_.control_sent;
    if (answer.fate == Fate::unreachable) {
      result_.unable = answer.from.version != 0
                           ? to_string(answer.from) + " says that the host cannot be reached so"
                           : "there is no way to the host, or a rule on this host forbids it";
      return false;
    }
    if (answer.fate != Fate::passed) continue;
    ++result_.control_passed;
    rtt_max_s_ = answer.rtt_s;
    low_ = floor;
    return true;
  }
  result_.unable =
      "no answer, not even to packets of " + std::to_string(limits_.floor_bytes) + " bytes";
  return false;
}

/// Sizes of a list whose fate is still open.
std::vector<std::uint32_t> Sweep::undecided(const std::vector<std::uint32_t>& sizes) const {
  std::vector<std::uint32_t> open;
  for (const std::uint32_t size : sizes) {
    const auto tally = tallies_.find(size);
    const bool decided =
        size >= high_ ||
        (tally != tallies_.end() && (tally->second.passed > 0 || tally->second.counted >= tries()));
    if (!decided) open.push_back(size);
  }
  return open;
}

/// What to try next between the bounds: what routers named, the usual sizes, then even steps.
std::vector<std::uint32_t> Sweep::candidates() const {
  const std::size_t most = std::max<std::size_t>(1, probe_.at_once() - 1);
  std::vector<std::uint32_t> sizes;
  const auto add = [&](std::uint32_t size) {
    if (size > low_ && size < high_ && sizes.size() < most &&
        std::ranges::find(sizes, size) == sizes.end()) {
      sizes.push_back(size);
    }
  };
  if (!tallies_.contains(limits_.first_try)) add(limits_.first_try);
  if (!tallies_.contains(result_.ceiling_bytes)) add(result_.ceiling_bytes);
  for (const auto& [key, report] : reports_) {
    add(report.mtu_bytes);
    add(report.mtu_bytes + 1);
  }
  if (high_ - low_ > 600) {
    // From the middle outwards, whatever fits in one volley.
    std::vector<std::uint32_t> usual(std::begin(kUsual), std::end(kUsual));
    std::ranges::stable_sort(usual, {}, [](std::uint32_t size) {
      return size == 1500 ? 0 : size == 9000 ? 1 : size == 1280 ? 2 : size == 1400 ? 3 : 4;
    });
    for (const std::uint32_t size : usual) add(size);
  }
  const std::size_t free = most > sizes.size() ? most - sizes.size() : 0;
  for (std::size_t i = 1; i <= free; ++i) {
    add(low_ + static_cast<std::uint32_t>((std::uint64_t{high_} - low_) * i / (free + 1)));
  }
  if (sizes.empty()) add(low_ + (high_ - low_) / 2);
  return sizes;
}

/// From the tallies: the largest that passed, the smallest above it that failed.
void Sweep::settle_bounds() {
  for (const auto& [size, tally] : tallies_) {
    if (tally.passed > 0) low_ = std::max(low_, size);
  }
  high_ = result_.ceiling_bytes + 1;
  for (const auto& [size, tally] : tallies_) {
    if (size > low_ && tally.passed == 0 && tally.counted >= tries()) high_ = std::min(high_, size);
  }
}

void Sweep::narrow() {
  while (high_ - low_ > 1 && !is_over()) {
    const std::vector<std::uint32_t> sizes = candidates();
    const std::uint32_t rounds = 2 * kMostTries;  // some volleys do not count
    for (std::uint32_t round = 0; round < rounds && !is_over(); ++round) {
      const std::vector<std::uint32_t> open = undecided(sizes);
      if (open.empty()) break;
      fire(open);
    }
    settle_bounds();
    if (!undecided(sizes).empty())
      return;  // Time is over, or the small ones are no longer answered.
  }
}

/// As many packets at each side of the edge as it takes to believe it. One that passes at the far
/// side moves the edge.
void Sweep::confirm() {
  for (std::uint32_t round = 0; round < 2 * limits_.confirmations && !is_over(); ++round) {
    const bool has_edge = high_ <= result_.ceiling_bytes;
    std::vector<std::uint32_t> sizes;
    const std::uint32_t wanted = has_edge ? limits_.confirmations : kLeastTries;
    if (low_ > limits_.floor_bytes && tallies_[low_].sent < wanted) sizes.push_back(low_);
    if (has_edge && tallies_[high_].counted < wanted) sizes.push_back(high_);
    if (sizes.empty()) return;
    fire(sizes);
    const std::uint32_t before = low_;
    settle_bounds();
    if (low_ != before) narrow();
  }
}

void Sweep::finish() {
  result_.largest_passed_bytes = low_;
  if (high_ <= result_.ceiling_bytes && low_ > 0) result_.smallest_failed_bytes = high_;
  result_.finished = low_ > 0 && high_ - low_ == 1;
  for (const auto& [size, tally] : tallies_) {
    result_.sizes.push_back({size, tally.sent, tally.passed, tally.reported});
  }
  for (auto& [key, report] : reports_) result_.reports.push_back(report);
}

}  // namespace

SizeSweep sweep_sizes(SizeProbe& probe, const SweepLimits& limits) {
  return Sweep(probe, limits).run();
}

}  // namespace slowpath::probe
