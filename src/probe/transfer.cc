// SPDX-License-Identifier: Apache-2.0
// The loop of a transfer. In each turn: (1) has an hour come: counting begins, an interval ends,
// the senders are done; (2) wait until a socket can move, or the next hour; (3) serve those that
// can.
#include "probe/transfer.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "probe/socket.h"
#include "probe/transfer_stream.h"

namespace slowpath::probe {
namespace {

constexpr std::int64_t kRttEveryNs = 50'000'000;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

class Loop {
 public:
  Loop(const TransferPlan& plan, std::span<const StreamPlan> streams, const TransferHooks& hooks)
      : plan_(plan), hooks_(hooks), began_ns_(steady_ns()), now_ns_(began_ns_) {
    for (const StreamPlan& each : streams) streams_.emplace_back(each, plan, began_ns_);
    buffer_.resize(plan.block_bytes);
    counting_from_ns_ = began_ns_ + plan.omit.count();
    interval_ends_ns_ = plan.interval.count() > 0 ? began_ns_ + plan.interval.count() : kNever;
    sending_ends_ns_ =
        plan.duration.count() > 0 ? counting_from_ns_ + plan.duration.count() : kNever;
    whole_ends_ns_ = began_ns_ + plan.most.count();
    rtt_due_ns_ = began_ns_ + kRttEveryNs;
    allowance_ = {plan.bytes, plan.blocks, plan.bytes > 0, plan.blocks > 0};
  }

  Result<TransferOutcome> run() {
    while (true) {
      now_ns_ = steady_ns();
      keep_hours();
      if (is_over()) break;
      if (auto waited = wait(); !waited) return std::unexpected(waited.error());
      if (!serve()) break;
    }
    return conclude();
  }

 private:
  void begin_counting() {
    is_counting_ = true;
    counting_from_ns_ = now_ns_;
    // Counted for as long as was asked, however late it begins.
    if (plan_.duration.count() > 0) sending_ends_ns_ = now_ns_ + plan_.duration.count();
    cpu_at_begin_ = read_cpu();
    for (TransferStream& each : streams_) each.begin_counting(now_ns_);
  }

  void close_interval(bool omitted) {
    intervals_.clear();
    for (TransferStream& each : streams_)
      intervals_.push_back(each.close_interval(now_ns_, omitted));
    if (hooks_.on_interval && !intervals_.empty())
      hooks_.on_interval({.begin_s = intervals_.front().begin_s,
                          .end_s = intervals_.front().end_s,
                          .omitted = omitted,
                          .streams = intervals_});
    interval_began_ns_ = now_ns_;
  }

  void keep_hours() {
    if (!is_counting_ && now_ns_ >= counting_from_ns_) {
      // An interval is either counted or not.
      if (plan_.omit.count() > 0 && interval_ends_ns_ != kNever) {
        close_interval(true);
        interval_ends_ns_ = now_ns_ + plan_.interval.count();
      }
      begin_counting();
    }
    if (now_ns_ >= rtt_due_ns_) {
      const Duration since_last{now_ns_ - (rtt_due_ns_ - kRttEveryNs)};
      rtt_due_ns_ = now_ns_ + kRttEveryNs;
      for (TransferStream& each : streams_) each.tick(since_last);
    }
    if (now_ns_ >= interval_ends_ns_) {
      close_interval(!is_counting_);
      while (interval_ends_ns_ <= now_ns_) interval_ends_ns_ += plan_.interval.count();
    }
    if (now_ns_ >= sending_ends_ns_ || (is_counting_ && allowance_.is_spent())) finish_senders();
  }

  void finish_senders() {
    for (TransferStream& each : streams_) {
      if (each.sends()) each.finish(plan_.finishes);
    }
  }

  bool is_over() {
    if (hooks_.stop != nullptr && hooks_.stop->load()) return stopped_ = true;
    if (now_ns_ >= whole_ends_ns_) return timed_out_ = true;
    return std::ranges::all_of(streams_, &TransferStream::is_done);
  }

  /// When the loop must look again, whatever the sockets do.
  [[nodiscard]] std::int64_t next_hour() const {
    std::int64_t next = std::min({interval_ends_ns_, whole_ends_ns_, rtt_due_ns_});
    if (sending_ends_ns_ > now_ns_) next = std::min(next, sending_ends_ns_);
    if (!is_counting_) next = std::min(next, counting_from_ns_);
    for (const TransferStream& each : streams_) {
      if (!each.is_done() && each.due_ns() > now_ns_) next = std::min(next, each.due_ns());
    }
    return next;
  }

  Result<void> wait() {
    entries_.clear();
    for (const TransferStream& each : streams_) {
      const bool rests = each.is_done() || each.due_ns() > now_ns_;
      entries_.push_back(
          {rests ? -1 : each.socket(), each.sends() ? short{POLLOUT} : short{POLLIN}, 0});
    }
    entries_.push_back({hooks_.on_watched ? hooks_.watched : -1, POLLIN, 0});
    const std::int64_t left = std::max<std::int64_t>(next_hour() - now_ns_, 0);
    const timespec limit{left / 1'000'000'000, left % 1'000'000'000};
    if (ppoll(entries_.data(), entries_.size(), &limit, nullptr) < 0 && errno != EINTR)
      return fail(ErrorKind::environment, "cannot wait for sockets", std::strerror(errno));
    return {};
  }

  /// False: a hook said stop.
  bool serve() {
    now_ns_ = steady_ns();
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      if (entries_[i].fd >= 0 && entries_[i].revents != 0)
        streams_[i].serve(buffer_, allowance_, now_ns_);
    }
    if (entries_.back().fd >= 0 && entries_.back().revents != 0 && !hooks_.on_watched()) {
      stopped_ = true;
      return false;
    }
    return true;
  }

  TransferOutcome conclude() {
    now_ns_ = steady_ns();
    if (!is_counting_) begin_counting();
    TransferOutcome outcome;
    // What is left of an interval, unless it is next to nothing: its rate would mean nothing.
    constexpr std::int64_t kLeast = 10'000'000;
    if (interval_ends_ns_ != kNever && now_ns_ - interval_began_ns_ >= kLeast)
      close_interval(false);
    outcome.elapsed_s = static_cast<double>(now_ns_ - began_ns_) * 1e-9;
    outcome.counted_s = static_cast<double>(now_ns_ - counting_from_ns_) * 1e-9;
    outcome.stopped = stopped_;
    outcome.timed_out = timed_out_;
    outcome.cpu = between(cpu_at_begin_, read_cpu());
    for (TransferStream& each : streams_) outcome.streams.push_back(each.take_outcome());
    return outcome;
  }

  const TransferPlan& plan_;
  const TransferHooks& hooks_;
  std::int64_t began_ns_, now_ns_;
  std::int64_t counting_from_ns_ = 0, interval_began_ns_ = began_ns_, interval_ends_ns_ = 0;
  std::int64_t sending_ends_ns_ = 0, whole_ends_ns_ = 0, rtt_due_ns_ = 0;
  bool is_counting_ = false, stopped_ = false, timed_out_ = false;
  Allowance allowance_;
  CpuSnapshot cpu_at_begin_;
  std::vector<TransferStream> streams_;
  std::vector<StreamInterval> intervals_;
  std::vector<std::byte> buffer_;
  std::vector<pollfd> entries_;
};

}  // namespace

Result<TransferOutcome> run_transfer(const TransferPlan& plan, std::span<const StreamPlan> streams,
                                     const TransferHooks& hooks) {
  return Loop{plan, streams, hooks}.run();
}

}  // namespace slowpath::probe
