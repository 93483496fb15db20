// SPDX-License-Identifier: Apache-2.0
// Text of iperf2 and iperf3: one result for each test, from its last whole line (or the sum, where
// several connections ran).
#include <algorithm>
#include <optional>
#include <string>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

struct Interval {
  double begin_s = 0, end_s = 0, rate_bps = 0;
  bool is_sum = false;
  std::string_view side;                     // "sender", "receiver" or nothing
  std::optional<std::uint32_t> retransmits;  // iperf3's sender
};

/// "0.0- 1.3", "0.00-10.00", "0.0000-10.0051": what stands before "sec".
bool read_times(std::string_view text, Interval& interval) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return false;
  const auto begin = real_number(trim(text.substr(0, dash)));
  const auto end = real_number(trim(text.substr(dash + 1)));
  if (!begin || !end) return false;
  interval.begin_s = *begin;
  interval.end_s = *end;
  return true;
}

/// "[  3]  0.0-10.0 sec  5.20 GBytes  4.47 Gbits/sec", "[SUM] ...  12  sender".
std::optional<Interval> interval_of(std::string_view line) {
  line = trim(line);
  const std::size_t close = line.find(']');
  const std::size_t sec = line.find("sec");
  if (!line.starts_with('[') || close == std::string_view::npos || sec == std::string_view::npos ||
      sec < close) {
    return std::nullopt;
  }
  Interval interval;
  interval.is_sum = line.substr(1, close - 1) == "SUM";
  if (!read_times(trim(line.substr(close + 1, sec - close - 1)), interval)) return std::nullopt;
  const Words words = words_of(line.substr(sec + 3));
  const auto unit =
      std::ranges::find_if(words, [](std::string_view word) { return word.ends_with("its/sec"); });
  if (unit == words.end() || unit == words.begin()) return std::nullopt;
  const auto rate = rate_bps(std::string(*(unit - 1)) + " " + std::string(*unit));
  if (!rate) return std::nullopt;
  interval.rate_bps = *rate;
  const auto after = unit + 1;
  if (words.back() == "sender" || words.back() == "receiver") interval.side = words.back();
  if (after != words.end() && interval.side == "sender") {
    interval.retransmits = whole_number32(*after);
  }
  return interval;
}

bool begins_iperf2(std::string_view line) {
  return line.starts_with("Client connecting to") || line.starts_with("Server listening on TCP") ||
         line.starts_with("TCP window size:");
}

bool begins_iperf3(std::string_view line) {
  return (line.starts_with("Connecting to host ") && line.contains(", port ")) ||
         line.starts_with("Server listening on 5") || line.starts_with("Accepted connection from");
}

bool is_local_line(std::string_view line) {
  return trim(line).starts_with('[') && line.contains("connected ") && line.contains(" port ");
}

bool is_column_header(std::string_view line) {
  return trim(line).starts_with("[ ID]") && contains_ignoring_case(line, "interval");
}

bool recognises(const Output& rest) {
  const std::string_view first = rest.lines.front().text;
  return begins_iperf2(trim(first)) || begins_iperf3(first) || is_local_line(first) ||
         is_column_header(first) || interval_of(first).has_value();
}

/// Gathers the lines of one test.
class Test {
 public:
  explicit Test(Notes& notes) : notes_(notes) {}

  void start(bool is_three, const Line& line) {
    finish();
    fresh(is_three ? "iperf3" : "iperf2", line);
  }
  void set_window(std::string_view text, const Line& line) {
    if (result_.program.empty()) fresh("iperf2", line);
    if (const auto bytes = size_bytes(text); bytes && *bytes < 4e9) {
      result_.window_bytes = static_cast<std::uint32_t>(*bytes);
    }
  }
  void see_three() { result_.program = "iperf3"; }
  /// Two lines over the whole time sum up an iperf3 test; in iperf2 the longest one does.
  void add(const Interval& interval, const Line& line) {
    if (result_.program.empty()) fresh(interval.side.empty() ? "iperf2" : "iperf3", line);
    if (!interval.side.empty()) result_.program = "iperf3";
    if (interval.retransmits && (interval.is_sum || !sum_retransmits_)) {
      result_.retransmits = interval.retransmits;
      sum_retransmits_ = interval.is_sum;
    }
    // What arrived counts, of all connections together, over the longest time.
    const int rank = (interval.is_sum ? 4 : 0) + (interval.side == "receiver" ? 2 : 0) +
                     (interval.side == "sender" ? 1 : 0);
    const double length_s = interval.end_s - interval.begin_s;
    if (rank < rank_ || (rank == rank_ && length_s < length_s_)) return;
    rank_ = rank;
    length_s_ = length_s;
    result_.goodput_bps = interval.rate_bps;
  }
  void finish() {
    if (result_.goodput_bps) notes_.facts().measured.push_back(result_);
    result_ = {};
  }
  [[nodiscard]] bool has_result() const { return result_.goodput_bps.has_value(); }

 private:
  void fresh(const char* program, const Line& line) {
    result_ = {};
    result_.program = program;
    result_.origin = notes_.at(line);
    rank_ = -1;
    length_s_ = -1;
    sum_retransmits_ = false;
  }

  Notes& notes_;
  MeasuredFacts result_;
  int rank_ = -1;
  double length_s_ = -1;
  bool sum_retransmits_ = false;
};

bool is_decoration(std::string_view line) {
  return line.starts_with("iperf") || line.starts_with("Cookie") || line.starts_with("Time:") ||
         line.starts_with("Test Complete") || line.starts_with("Starting Test") ||
         line.starts_with("CPU Utilization") || line.starts_with("snd_tcp_congestion") ||
         line.starts_with("rcv_tcp_congestion") || line.starts_with("TCP MSS");
}

void read(const Output& output, Notes& notes) {
  Test test(notes);
  notes.each_line(output, [&](const Line& line) {
    const std::string_view text = trim(line.text);
    if (begins_iperf3(text)) {
      if (!text.starts_with("Server")) test.start(true, line);
      return true;
    }
    if (text.starts_with("TCP window size:")) {
      if (test.has_result()) test.start(false, line);
      test.set_window(text.substr(16), line);
      return true;
    }
    if (begins_iperf2(text)) {
      test.start(false, line);
      return true;
    }
    if (const auto interval = interval_of(text)) {
      test.add(*interval, line);
      return true;
    }
    if (is_column_header(text) && text.contains("Retr")) test.see_three();
    return is_column_header(text) || is_local_line(text) || is_decoration(text);
  });
  test.finish();
}

}  // namespace

namespace recognisers {
extern const Recogniser iperf;
const Recogniser iperf{"iperf", std::nullopt, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
