// SPDX-License-Identifier: Apache-2.0
#include "support/scenario/script.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <fmt/core.h>

#include "support/scenario/player.h"

namespace slowpath::test::scenario {
namespace {

constexpr std::size_t kMostDepth = 3;  // of repeats: $i, $j, $k
constexpr std::int64_t kMostRounds = 100'000;

struct Statement {
  std::string_view name;
  void (*play)(Player&, Words&);
};

void play_expect(Player& player, Words& words) {
  player.expectations.push_back(read_expectation(words));
}

constexpr std::array kStatements{
    Statement{"expect", play_expect},   Statement{"connection", play_connection},
    Statement{"options", play_options}, Statement{"handshake", play_handshake},
    Statement{"close", play_close},     Statement{"icmp", play_icmp},
    Statement{"ping", play_ping},       Statement{"transfer", play_transfer},
    Statement{"vantage", play_vantage}, Statement{"snap", play_snap},
    Statement{"capture", play_capture}, Statement{"offload", play_offload},
    Statement{"wait", play_wait},
};

void play_statement(Player& player, Words& words) {
  if (words.peek() == "c" || words.peek() == "s") {
    play_packet(player, words);
  } else {
    const std::string name(words.word("a statement"));
    const auto* found = std::ranges::find(kStatements, name, &Statement::name);
    if (found == kStatements.end())
      return words.fail("a statement, 'c > s', 's > c', 'repeat' or '}'");
    found->play(player, words);
  }
  words.finish();
}

/// Lines by number, and the repeats among them.
class Script {
 public:
  Script(std::string_view text, const Limits& limits, Player& player)
      : player_(player), statements_left_(limits.statements) {
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      lines_.push_back(text.substr(0, end));
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
  }

  std::optional<Mistake> play() {
    const bool is_explained =
        !lines_.empty() && lines_[0].starts_with("# ") && lines_[0].size() > 10;
    if (!is_explained) return Mistake{1, "expected a comment that says what is proved"};
    play_lines(0, lines_.size());
    return std::move(mistake_);
  }

 private:
  void play_lines(std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end && !mistake_; ++i) {
      Words words(lines_[i], counters_);
      if (words.done()) continue;
      if (statements_left_-- == 0) return stop(i, "the scenario is too long: too many statements");
      const Duration before = player_.now;
      read_time(words);
      if (words.take("repeat")) {
        i = play_repeat(i, end, words);
        continue;
      }
      play_statement(player_, words);
      if (words.problem()) {
        player_.now = before;
        return stop(i, *words.problem());
      }
      if (player_.tape.full() || player_.events_left == 0) {
        return stop(i, "the scenario is too long: too many packets, bytes or events");
      }
    }
  }

  // `at` sets the clock for its own statement, and what follows goes on from there.
  void read_time(Words& words) {
    player_.is_timed = words.take("at");
    if (!player_.is_timed) return;
    constexpr Duration kMost = std::chrono::hours(24);
    Duration base{0};
    if (words.peek().starts_with('+')) {
      base = player_.now;
      words.strip('+');
    }
    player_.now = std::min(base + words.duration(), kMost);
  }

  /// Answers the line of its closing brace.
  std::size_t play_repeat(std::size_t line, std::size_t end, Words& words) {
    const auto rounds = words.number("a count", 0, kMostRounds);
    Duration every{0};
    if (words.take("every")) every = words.duration();
    words.need("{");
    words.finish();
    if (words.problem()) return stop(line, *words.problem()), line;
    const std::size_t closing = find_closing(line, end);
    if (closing == end) return stop(line, "expected '}' in a later line"), line;
    if (counters_.size() == kMostDepth)
      return stop(line, "expected at most three repeats in each other"), line;
    counters_.push_back(0);
    for (std::int64_t i = 0; i < rounds && !mistake_; ++i) {
      if (statements_left_-- == 0) stop(line, "the scenario is too long: too many statements");
      const Duration begin = player_.now;
      counters_.back() = i;
      play_lines(line + 1, closing);
      player_.now = std::max(player_.now, begin + every);
    }
    counters_.pop_back();
    return closing;
  }

  std::size_t find_closing(std::size_t line, std::size_t end) const {
    std::size_t depth = 1;
    for (std::size_t i = line + 1; i < end; ++i) {
      Words words(lines_[i]);
      if (words.take("at")) words.word("");
      if (words.peek() == "repeat") ++depth;
      if (words.peek() == "}" && --depth == 0) return i;
    }
    return end;
  }

  void stop(std::size_t line, std::string what) {
    if (!mistake_) mistake_ = Mistake{line + 1, std::move(what)};
  }

  std::vector<std::string_view> lines_;
  Player& player_;
  std::size_t statements_left_;
  std::vector<std::int64_t> counters_;
  std::optional<Mistake> mistake_;
};

}  // namespace

Scenario play(std::string_view text, const Limits& limits) {
  Scenario scenario;
  scenario.tape = std::make_unique<Tape>(limits);
  if (text.size() > limits.text_bytes) {
    scenario.mistake = Mistake{1, "expected a shorter text"};
    return scenario;
  }
  Player player(limits, *scenario.tape);
  scenario.mistake = Script(text, limits, player).play();
  scenario.expectations = std::move(player.expectations);
  if (!scenario.mistake && scenario.expectations.empty()) {
    scenario.mistake = Mistake{1, "expected at least one 'expect'"};
  }
  return scenario;
}

}  // namespace slowpath::test::scenario
