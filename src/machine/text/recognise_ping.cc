// SPDX-License-Identifier: Apache-2.0
// ping of Linux, Windows (in any language), Solaris, BSD, and vmkping. A size says something about
// the path only where fragments were forbidden: by an option of the command line, or because an
// answer says so. Without, the size is told apart (S1's "ping -s 9000" proved nothing).
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

struct Ping {
  Line line;
  std::optional<std::uint32_t> payload_bytes;
  bool is_windows = false;
};

std::optional<std::uint32_t> number_before(std::string_view text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  const Words words = words_of(text.substr(0, at));
  if (words.empty()) return std::nullopt;
  const std::string_view word = words.back();
  return whole_number32(word.substr(0, word.find('(')));
}

/// "PING 10.0.0.1 (10.0.0.1) 1472(1500) bytes of data.", "PING 10.0.0.1: 9000 data bytes".
std::optional<Ping> unix_start(const Line& line) {
  if (!line.text.starts_with("PING ")) return std::nullopt;
  auto size = number_before(line.text, " data bytes");
  if (!size) size = number_before(line.text, " bytes of data");
  if (!size) return std::nullopt;
  return Ping{line, size, false};
}

/// "Pinging 10.0.0.1 with 1472 bytes of data:"; in other languages: an address, a size, words, a
/// colon. One word of it is kept in every language.
std::optional<Ping> windows_start(const Line& line) {
  if (!line.text.ends_with(':') || !contains_ignoring_case(line.text, "ping")) {
    // French says "Envoi d'une requête 'Ping'", Spanish "Haciendo ping a", Portuguese "Disparando".
    if (!line.text.ends_with(':') || !line.text.starts_with("Disparando ")) return std::nullopt;
  }
  std::optional<std::uint32_t> size;
  bool has_host = false;
  for (const std::string_view word : words_of(line.text)) {
    if (const auto number = whole_number32(word)) size = number;
    std::string_view inner = word;
    if (inner.starts_with('[') && inner.ends_with(']')) inner = inner.substr(1, inner.size() - 2);
    if (address_of(inner)) has_host = true;
  }
  if (!size || !has_host) return std::nullopt;
  return Ping{line, size, true};
}

std::optional<Ping> start_of(const Line& line) {
  if (auto ping = unix_start(line)) return ping;
  return windows_start(line);
}

bool recognises(const Output& rest) { return start_of(rest.lines.front()).has_value(); }

/// Linux -M do, Windows -f, Solaris and BSD -D, vmkping -d. Linux' -f floods, its -D shows times.
bool forbids_fragments(const Command& command, bool is_windows, bool is_linux) {
  if (command.program() == "vmkping") return command.has("-d");
  if (command.program() != "ping") return false;
  if (is_windows) return command.has("-f");
  if (!is_linux) return command.has("-D");
  const std::string_view discovery = command.after("-M");
  return discovery == "do" || discovery == "probe" || command.has("-Mdo");
}

/// One run of ping, from its first line to the next one's.
class Run {
 public:
  Run(const Ping& ping, const Command& command) : ping_(ping) {
    is_linux_ = ping.line.text.contains("bytes of data") && !ping.is_windows;
    is_forbidden_ = forbids_fragments(command, ping.is_windows, is_linux_);
  }

  /// Whether the line is one of ping's.
  bool read(std::string_view text) {
    if (read_too_big(text) || read_reply(text) || read_summary(text)) return true;
    // Windows: "Request timed out." and the titles of its statistics, in any language.
    return ping_.is_windows || text.starts_with("---") || text.starts_with("From ") ||
           text.starts_with("no answer from") || text.starts_with("ICMP ") ||
           text.starts_with("Request timeout");
  }

  MeasuredFacts result() const {
    MeasuredFacts result;
    result.program = "ping";
    result.payload_bytes = ping_.payload_bytes;
    if (is_forbidden_ || too_big_) result.dont_fragment = true;
    result.loss_share = loss_share_;
    set_times(result);
    const bool lost_all = result.loss_share == 1.0 && replies_ == 0;
    if (result.dont_fragment == true) {
      if (replies_ > 0) result.largest_passed_bytes = ping_.payload_bytes;
      if (replies_ == 0 && (too_big_ || lost_all))
        result.smallest_failed_bytes = ping_.payload_bytes;
    }
    return result;
  }
  [[nodiscard]] const Ping& ping() const { return ping_; }

 private:
  /// "ping: local error: message too long, mtu=1500", "Frag needed and DF set (mtu = 1400)",
  /// "Packet needs to be fragmented but DF set.": DF is kept in every language.
  bool read_too_big(std::string_view text) {
    const bool linux_says = contains_ignoring_case(text, "message too long") ||
                            contains_ignoring_case(text, "frag needed") ||
                            contains_ignoring_case(text, "packet too big") ||
                            contains_ignoring_case(text, "fragmentation needed");
    const bool windows_says = ping_.is_windows && !text.contains('=') && text.contains("DF");
    if (!linux_says && !windows_says) return false;
    too_big_ = true;
    return true;
  }

  /// "9008 bytes from 10.0.0.1: icmp_seq=0. time=0.338 ms", "Reply from 10.0.0.1: bytes=1472
  /// time<1ms TTL=64".
  bool read_reply(std::string_view text) {
    const bool is_unix = text.contains(" bytes from ");
    const bool is_windows = ping_.is_windows && text.contains("TTL=");
    if (!is_unix && !is_windows) return false;
    ++replies_;
    std::string_view time = between(text, "time=", " ");
    if (is_windows) {
      // The word for time is translated: its value stands before "ms". "<1ms" is no value.
      const std::string_view before = text.substr(0, std::min(text.find("ms"), text.size()));
      const std::size_t sign = before.find_last_of("=<");
      if (sign == std::string_view::npos || before[sign] == '<') return true;
      time = before.substr(sign + 1);
    }
    if (const auto ms = leading_number(trim(time)); ms && times_s_.size() < 100'000) {
      times_s_.push_back(*ms / 1e3);
    }
    return true;
  }

  bool read_summary(std::string_view text) {
    const bool is_unix = text.contains("packet loss");
    const std::size_t per_cent = text.find('%');
    if (is_unix || (ping_.is_windows && per_cent != std::string_view::npos && text.contains('='))) {
      const std::string_view before = text.substr(0, std::min(per_cent, text.size()));
      const std::size_t begin = before.find_last_not_of("0123456789.,") + 1;
      if (const auto share = leading_number(before.substr(begin))) {
        loss_share_ = std::min(*share, 100.0) / 100;
      }
      return true;
    }
    if (!text.contains("min/avg/max")) return false;
    const std::string_view values = between(text, "= ", "\n");
    if (const auto ms = leading_number(values)) rtt_min_s_ = *ms / 1e3;
    return true;
  }

  void set_times(MeasuredFacts& result) const {
    result.rtt_min_s = rtt_min_s_;
    if (times_s_.empty()) return;
    std::vector<double> sorted = times_s_;
    std::ranges::sort(sorted);
    if (!result.rtt_min_s) result.rtt_min_s = sorted.front();
    result.rtt_median_s = sorted[sorted.size() / 2];
  }

  Ping ping_;
  bool is_linux_ = false, is_forbidden_ = false, too_big_ = false;
  std::uint32_t replies_ = 0;
  std::optional<double> loss_share_, rtt_min_s_;
  std::vector<double> times_s_;
};

void read(const Output& output, Notes& notes) {
  std::optional<Run> run;
  const auto finish = [&] {
    if (!run) return;
    MeasuredFacts result = run->result();
    result.origin = notes.at(run->ping().line);
    notes.facts().measured.push_back(result);
  };
  notes.each_line(output, [&](const Line& line) {
    if (const auto ping = start_of(line)) {
      finish();
      run.emplace(*ping, output.command);
      return true;
    }
    return run && run->read(line.text);
  });
  finish();
}

}  // namespace

namespace recognisers {
extern const Recogniser ping;
const Recogniser ping{"ping", std::nullopt, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
