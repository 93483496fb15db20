// SPDX-License-Identifier: Apache-2.0
#include "probe/iperf3/run.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/format.h"
#include "facts/address.h"
#include "probe/iperf3/datagrams.h"
#include "probe/iperf3/watch.h"
#include "probe/tcp_info.h"
#include "probe/transfer.h"
#include "probe/transfer_rtt.h"

namespace slowpath::probe::iperf3 {
namespace {

Iperf3Datagrams minus(const Iperf3Datagrams& now, const Iperf3Datagrams& before) {
  return {now.packets - before.packets, now.lost - std::min(now.lost, before.lost),
          now.out_of_order - before.out_of_order, now.jitter_s};
}

/// One run: streams, what is sent over them and what is made of what comes.
class Run {
 public:
  Run(std::vector<RunStream>& streams, const RunOptions& options, Control& control,
      Iperf3Facts& facts)
      : streams_(streams), options_(options), control_(control), facts_(facts) {}

  Result<RunAnswer> go() {
    for (std::size_t i = 0; i < streams_.size(); ++i) add_stream(i);
    facts_.send_buffer_bytes = send_buffer_bytes(streams_.front().socket.get()).value_or(0);
    facts_.receive_buffer_bytes = receive_buffer_bytes(streams_.front().socket.get()).value_or(0);
    if (const auto socket = read_socket(control_.socket())) facts_.rtt_idle_s = socket->rtt_min_s;
    begin_ = process_times();
    Result<TransferOutcome> outcome = run_transfer(plan(), plans_, hooks());
    if (!outcome) return std::unexpected(outcome.error());
    facts_.local = cpu_between(begin_, process_times());
    finish(*outcome);
    if (watch_.interrupted) answer_.end = RunEnd::stopped;
    return answer_;
  }

 private:
  /// What belongs to one stream while it runs.
  struct Parts {
    std::unique_ptr<DatagramSource> source;
    std::unique_ptr<DatagramSink> sink;
    std::unique_ptr<CountedSource> counted_source;
    std::unique_ptr<CountedSink> counted_sink;
    std::unique_ptr<FileSink> file_sink;
    Descriptor file;
    Iperf3Datagrams at_begin, at_interval;  // since the first datagram
    std::uint64_t retransmits = 0;          // at the interval before
    double rtt_sum_s = 0;
    int rtts = 0;
  };

  [[nodiscard]] const Parameters& asked() const { return options_.parameters; }

  /// Amounts are counted here where a receiver takes part; a client that only sends leaves them to
  /// the transfer.
  [[nodiscard]] bool counts_amounts() const {
    return options_.ends_by_itself && (asked().bytes > 0 || asked().blocks > 0) &&
           std::ranges::any_of(streams_, [](const RunStream& it) { return !it.sends; });
  }

  void add_stream(std::size_t index) {
    RunStream& stream = streams_[index];
    Parts& parts = *parts_.emplace_back(std::make_unique<Parts>());
    StreamPlan plan{.socket = stream.socket.get(),
                    .number = static_cast<std::uint32_t>(index),
                    .sends = stream.sends};
    if (asked().is_udp && stream.sends) {
      parts.source = std::make_unique<DatagramSource>(asked().wide_counters);
    } else if (asked().is_udp) {
      parts.sink = std::make_unique<DatagramSink>(asked().wide_counters);
    }
    if (options_.file >= 0 && stream.sends) {
      plan.file = options_.file;
      plan.file_bytes = options_.file_bytes;
      plan.file_once = true;
    } else if (options_.file >= 0) {
      parts.file_sink = std::make_unique<FileSink>(watch_, options_.file, parts.sink.get());
      plan.sink = parts.file_sink.get();
    } else if (stream.sends && !asked().is_udp && asked().zero_copy && !counts_amounts()) {
      parts.file = memory_file(asked());
      plan.file = parts.file.get();
      plan.file_bytes = asked().block_bytes;
    }
    if (plan.file < 0 && !parts.file_sink) {
      parts.counted_source =
          std::make_unique<CountedSource>(watch_, parts.source.get(), asked().repeating_payload);
      parts.counted_sink = std::make_unique<CountedSink>(watch_, parts.sink.get());
      plan.source = parts.counted_source.get();
      plan.sink = parts.counted_sink.get();
    }
    plans_.push_back(plan);
    facts_.streams.push_back(describe(stream, index));
  }

  [[nodiscard]] static Iperf3Stream describe(const RunStream& stream, std::size_t index) {
    Iperf3Stream described;
    described.id = index == 0 ? 1 : static_cast<int>(index) + 2;
    described.socket = stream.socket.get();
    described.sends = stream.sends;
    if (const auto local = local_endpoint(stream.socket.get())) {
      described.local_host = to_string(local->address);
      described.local_port = local->port;
    }
    if (const auto remote = remote_endpoint(stream.socket.get())) {
      described.remote_host = to_string(remote->address);
      described.remote_port = remote->port;
    }
    return described;
  }

  TransferPlan plan() {
    TransferPlan plan;
    plan.block_bytes = asked().block_bytes;
    plan.omit = from_seconds(asked().omit_s);
    plan.rate_bps = asked().rate_bps;
    plan.burst_blocks = std::max(1U, asked().burst_blocks);
    plan.finishes = false;
    plan.most = options_.most;
    // Without reports there still is a moment at which omitted bytes are left behind.
    plan.interval = options_.interval.count() > 0 ? options_.interval : std::chrono::seconds(1);
    watch_.signal = options_.stop;
    if (options_.most_average_bps > 0)
      average_.emplace(options_.most_average_bps, options_.averaged, plan.interval);
    if (!options_.ends_by_itself) return plan;
    const bool by_amount = asked().bytes > 0 || asked().blocks > 0;
    if (!by_amount) plan.duration = from_seconds(asked().duration_s);
    if (!by_amount) plan.most = plan.omit + plan.duration;
    if (counts_amounts()) {
      watch_.bytes = asked().bytes;
      watch_.blocks = asked().blocks;
    } else {
      plan.bytes = asked().bytes;
      plan.blocks = asked().blocks;
    }
    return plan;
  }

  TransferHooks hooks() {
    TransferHooks hooks;
    hooks.on_interval = [this](const IntervalReport& report) { take_interval(report); };
    hooks.watched = control_.socket();
    hooks.on_watched = [this] { return listen(); };
    hooks.stop = &watch_.stop;
    return hooks;
  }

  /// The control connection has something to say. False ends the run.
  bool listen() {
    const Result<State> state = control_.receive_state(std::chrono::seconds(1));
    if (!state) {
      answer_ = {RunEnd::told, state.error().message()};
    } else if (*state == State::test_end) {
      answer_ = {RunEnd::told, {}};
    } else if (*state == State::server_error) {
      answer_ = {RunEnd::told, control_.receive_server_error(std::chrono::seconds(1)).message()};
    } else if (*state == State::client_terminate) {
      answer_ = {RunEnd::told, "the client was ended"};
    } else if (*state == State::server_terminate) {
      answer_ = {RunEnd::told, "the server was ended"};
    } else {
      answer_ = {RunEnd::told, "the other end said something that does not belong here"};
    }
    return false;
  }

  void take_interval(const IntervalReport& report) {
    std::uint64_t moved = 0;
    for (std::size_t i = 0; i < report.streams.size(); ++i) {
      moved += report.streams[i].bytes;
      take_stream_interval(i, report.streams[i]);
    }
    silent_s_ = moved > 0 ? 0 : silent_s_ + (report.end_s - report.begin_s);
    const double most_s = silence_limit_s(asked(), options_.silent_s);
    if (silent_s_ >= most_s) {
      answer_ = {RunEnd::silent, fmt::format("nothing moved for {}: the other end is gone",
                                             format_duration(most_s))};
      watch_.stop = true;
    }
    if (average_ && average_->exceeds(moved, report.end_s - report.begin_s) &&
        answer_.end == RunEnd::limits) {
      answer_ = {RunEnd::too_fast, fmt::format("the average rate was above the {} that are allowed",
                                               format_rate(options_.most_average_bps))};
      watch_.stop = true;
    }
    watch_.look();
    if (options_.on_interval && options_.interval.count() > 0) options_.on_interval(facts_);
  }

  void take_stream_interval(std::size_t index, const StreamInterval& moved) {
    Parts& parts = *parts_[index];
    Iperf3Stream& stream = facts_.streams[index];
    Iperf3Interval interval;
    interval.begin_s = moved.begin_s;
    interval.end_s = moved.end_s;
    interval.bytes = moved.bytes;
    interval.omitted = moved.omitted;
    if (moved.socket && stream.sends) fill_tcp(interval, parts, stream, *moved.socket);
    if (asked().is_udp) {
      const Iperf3Datagrams now = datagrams_of(parts);
      interval.datagrams = minus(now, parts.at_interval);
      parts.at_interval = now;
      if (moved.omitted) parts.at_begin = now;
    }
    if (options_.interval.count() > 0) stream.intervals.push_back(interval);
  }

  static void fill_tcp(Iperf3Interval& interval, Parts& parts, Iperf3Stream& stream,
                       const SocketFacts& socket) {
    const std::uint64_t retransmits = socket.retransmits_total.value_or(0);
    interval.retransmits = retransmits - std::min(retransmits, parts.retransmits);
    parts.retransmits = retransmits;
    interval.cwnd_bytes =
        std::uint64_t{socket.cwnd_segments.value_or(0)} * socket.mss_bytes.value_or(0);
    interval.peer_window_bytes = socket.peer_window_bytes.value_or(0);
    interval.rtt_s = socket.rtt_s.value_or(0);
    interval.rtt_var_s = socket.rtt_var_s.value_or(0);
    interval.pmtu_bytes = socket.pmtu_bytes.value_or(0);
    stream.peer_window_max_bytes =
        std::max(stream.peer_window_max_bytes, interval.peer_window_bytes);
    stream.cwnd_max_bytes = std::max(stream.cwnd_max_bytes, interval.cwnd_bytes);
    stream.rtt_max_s = std::max(stream.rtt_max_s, interval.rtt_s);
    stream.rtt_min_s =
        parts.rtts == 0 ? interval.rtt_s : std::min(stream.rtt_min_s, interval.rtt_s);
    parts.rtt_sum_s += interval.rtt_s;
    stream.rtt_mean_s = parts.rtt_sum_s / ++parts.rtts;
  }

  [[nodiscard]] static Iperf3Datagrams datagrams_of(const Parts& parts) {
    if (parts.sink) return parts.sink->counts();
    return {parts.source ? parts.source->packets() : 0, 0, 0, 0};
  }

  /// What had come before the word that ends the test was read.
  std::uint64_t drain(std::size_t index) {
    constexpr int kMost = 10'000;
    std::vector<std::byte> buffer(asked().block_bytes);
    std::uint64_t bytes = 0;
    for (int i = 0; i < kMost; ++i) {
      const ssize_t got =
          recv(streams_[index].socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got <= 0) break;
      plans_[index].sink->take(Bytes(buffer).first(static_cast<std::size_t>(got)), 0);
      bytes += static_cast<std::uint64_t>(got);
    }
    return bytes;
  }

  void finish(const TransferOutcome& outcome) {
    facts_.rtt = rtt_of(outcome);
    facts_.host_cost = {.elapsed_s = outcome.cpu.elapsed_s,
                        .own_user_s = outcome.cpu.own_user_s,
                        .own_system_s = outcome.cpu.own_system_s,
                        .cpus = outcome.cpu.cpus};
    for (std::size_t i = 0; i < outcome.streams.size(); ++i) {
      const StreamOutcome& moved = outcome.streams[i];
      Iperf3Stream& stream = facts_.streams[i];
      stream.seconds = outcome.counted_s;
      stream.error = moved.error;
      (stream.sends ? stream.sent_bytes : stream.received_bytes) = moved.bytes;
      // A peer over TCP that did not say so itself may be sending still, and for long.
      const bool has_ended = asked().is_udp || answer_.end == RunEnd::told;
      if (!stream.sends && has_ended) stream.received_bytes += drain(i);
      if (stream.sends && !asked().is_udp) stream.sender = moved.socket;
      if (parts_[i]->file_sink && parts_[i]->file_sink->error() != 0 && answer_.error.empty()) {
        answer_ = {RunEnd::stopped, fmt::format("cannot write the file: {}",
                                                std::strerror(parts_[i]->file_sink->error()))};
      }
      if (stream.sends && moved.socket) {
        stream.knows_retransmits = moved.socket->retransmits_total.has_value();
        stream.retransmits = moved.socket->retransmits_total.value_or(0);
      }
      if (asked().is_udp) {
        (stream.sends ? stream.sent : stream.received) =
            minus(datagrams_of(*parts_[i]), parts_[i]->at_begin);
      }
    }
  }

  std::vector<RunStream>& streams_;
  const RunOptions& options_;
  Control& control_;
  Iperf3Facts& facts_;
  std::vector<std::unique_ptr<Parts>> parts_;
  std::vector<StreamPlan> plans_;
  Watch watch_;
  std::optional<AverageRate> average_;
  RunAnswer answer_;
  ProcessTimes begin_;
  double silent_s_ = 0;
};

}  // namespace

Result<RunAnswer> run_streams(std::vector<RunStream>& streams, const RunOptions& options,
                              Control& control, Iperf3Facts& facts) {
  return Run(streams, options, control, facts).go();
}

}  // namespace slowpath::probe::iperf3
