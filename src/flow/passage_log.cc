// SPDX-License-Identifier: Apache-2.0
#include "flow/passage_log.h"

#include <algorithm>

namespace slowpath::flow {
namespace {

std::uint32_t sum(std::uint32_t so_far, std::int64_t more) {
  const std::int64_t all = std::int64_t{so_far} + more;
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(all, 0, 0xffff'ffff));
}

}  // namespace

void PassageLog::lost(Time sent, std::int64_t bytes, std::uint64_t acked_bytes) {
  if (!started_) {
    started_ = true;
    origin_ = sent;
    facts_.bytes_before = acked_bytes;
  }
  if (PassageCell* at = cell(sent)) at->lost_bytes = sum(at->lost_bytes, bytes);
}

void PassageLog::passed(Time sent, std::int64_t bytes) {
  if (!started_ || bytes <= 0) return;
  if (PassageCell* at = cell(sent)) at->passed_bytes = sum(at->passed_bytes, bytes);
}

void PassageLog::arrived_after_all(Time sent, std::int64_t bytes) {
  if (!started_) return;
  PassageCell* at = cell(sent);
  if (at == nullptr) return;
  at->lost_bytes = sum(at->lost_bytes, -bytes);
}

// Visits [begin, end) by when the newest copy of each part was sent.
template <typename Visit>
void PassageLog::each_part(std::int64_t begin, std::int64_t end, Time first_sent,
                           const Visit& visit) const {
  std::int64_t at = begin;
  auto next =
      std::upper_bound(again_.begin() + static_cast<std::ptrdiff_t>(done_), again_.end(), begin,
                       [](std::int64_t offset, const Again& a) { return offset < a.end; });
  for (; next != again_.end() && next->begin < end; ++next) {
    if (next->begin > at) visit(first_sent, next->begin - at, false);
    const std::int64_t until = std::min(next->end, end);
    visit(next->sent, until - std::max(next->begin, at), true);
    at = until;
  }
  if (at < end) visit(first_sent, end - at, false);
}

void PassageLog::resent(std::int64_t begin, std::int64_t end, Time first_sent, Time now,
                        std::uint64_t acked_bytes) {
  if (end <= begin) return;
  each_part(begin, end, first_sent,
            [&](Time sent, std::int64_t bytes, bool) { lost(sent, bytes, acked_bytes); });
  auto from =
      std::upper_bound(again_.begin() + static_cast<std::ptrdiff_t>(done_), again_.end(), begin,
                       [](std::int64_t offset, const Again& a) { return offset < a.end; });
  if (from != again_.end() && from->begin < begin) {
    from = again_.insert(from, {from->begin, begin, from->sent}) + 1;
    from->begin = begin;
  }
  auto to = from;
  while (to != again_.end() && to->end <= end) ++to;
  if (to != again_.end()) to->begin = std::max(to->begin, end);
  again_.insert(again_.erase(from, to), {begin, end, now});
}

void PassageLog::count_arrived(std::int64_t begin, std::int64_t end, Time first_sent,
                               bool by_first_copy) {
  each_part(begin, end, first_sent, [&](Time sent, std::int64_t bytes, bool again) {
    if (again && by_first_copy) {
      arrived_after_all(first_sent, bytes);
      passed(first_sent, bytes);
    }
    passed(sent, bytes);
  });
  while (done_ < again_.size() && again_[done_].end <= end) ++done_;
  if (done_ * 2 < again_.size()) return;
  again_.erase(again_.begin(), again_.begin() + static_cast<std::ptrdiff_t>(done_));
  done_ = 0;
}

PassageCell* PassageLog::cell(Time sent) {
  if (sent < origin_) return nullptr;
  const Time begin = origin_ + (sent - origin_) / width_ * width_;
  auto& cells = facts_.cells;
  auto at = cells.end();
  // Fates become known about a round trip late, so what is asked for lies near the end.
  if (!cells.empty() && cells.back().at >= begin) {
    at = std::lower_bound(cells.begin(), cells.end(), begin,
                          [](const PassageCell& c, Time time) { return c.at < time; });
    if (at != cells.end() && at->at == begin) return &*at;
  }
  if (cells.size() >= PassageFacts::kMaxCells) {
    widen();
    return cell(sent);
  }
  return &*cells.insert(at, PassageCell{begin, 0, 0});
}

// Cells that fill one of twice the length become one; when each stands alone, twice the length
// again.
void PassageLog::widen() {
  auto& cells = facts_.cells;
  while (cells.size() > PassageFacts::kMaxCells / 4 * 3) {
    width_ *= 2;
    std::size_t kept = 0;
    for (const PassageCell& c : cells) {
      const Time begin = origin_ + (c.at - origin_) / width_ * width_;
      if (kept > 0 && cells[kept - 1].at == begin) {
        cells[kept - 1].passed_bytes = sum(cells[kept - 1].passed_bytes, c.passed_bytes);
        cells[kept - 1].lost_bytes = sum(cells[kept - 1].lost_bytes, c.lost_bytes);
      } else {
        cells[kept++] = {begin, c.passed_bytes, c.lost_bytes};
      }
    }
    cells.resize(kept);
  }
}

PassageFacts PassageLog::take(std::uint64_t losses) {
  if (losses < PassageFacts::kFewestLosses) return {};
  facts_.cell_s = to_seconds(width_);
  facts_.cells.shrink_to_fit();
  return std::move(facts_);
}

}  // namespace slowpath::flow
