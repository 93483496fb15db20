// SPDX-License-Identifier: Apache-2.0
#include "support/scenario/expectation.h"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/core.h>

#include "facts/catalogue.h"
#include "facts/non_faults.h"
#include "facts/time_account.h"
#include "support/scenario/player.h"

namespace slowpath::test::scenario {
namespace {

using Interval = std::pair<double, double>;
constexpr Interval kAnything{-std::numeric_limits<double>::infinity(),
                             std::numeric_limits<double>::infinity()};
constexpr std::array<std::string_view, 3> kSeverities{"note", "suspect", "fault"};

bool within(double value, const Interval& bounds) {
  return value >= bounds.first && value <= bounds.second;
}

std::string read_fault(Words& words) {
  std::string id(words.word("a fault of the catalogue"));
  if (find_fault(id) == nullptr) words.fail("a fault of the catalogue");
  return id;
}

Severity read_severity(Words& words) { return static_cast<Severity>(words.choice(kSeverities)); }

/// Of the data that `side` sends.
Direction direction_of(Side side) {
  return side == Side::client ? Direction::to_server : Direction::to_client;
}

/// The connection that a scenario with one has, or the one with this number (1 is the first).
struct Which {
  std::size_t position = 0;

  static Which read(Words& words) {
    Which which;
    if (words.take("connection"))
      which.position = static_cast<std::size_t>(words.number("a number", 1, 100'000)) - 1;
    return which;
  }
  [[nodiscard]] const ConnectionFacts* find(const Outcome& outcome) const {
    return position < outcome.facts.connections.size() ? &outcome.facts.connections[position]
                                                       : nullptr;
  }
};

Check read_verdict(Words& words) {
  const std::string id(words.word("a fault of the catalogue, 'healthy' or 'unclear'"));
  if (id != "healthy" && id != "unclear" && find_fault(id) == nullptr) {
    words.fail("a fault of the catalogue, 'healthy' or 'unclear'");
  }
  return [=](const Outcome& outcome) -> std::optional<std::string> {
    if (outcome.diagnosis.verdict == id) return {};
    return fmt::format("the verdict is {}", outcome.diagnosis.verdict);
  };
}

Check read_connection_verdict(Words& words) {
  const auto position = static_cast<std::size_t>(words.number("a number", 1, 100'000)) - 1;
  words.need("verdict");
  const std::string id(words.word("a fault of the catalogue, 'healthy' or 'unclear'"));
  return [=](const Outcome& outcome) -> std::optional<std::string> {
    const auto& verdicts = outcome.diagnosis.connection_verdicts;
    if (position >= verdicts.size())
      return fmt::format("there are {} connections", verdicts.size());
    if (verdicts[position] == id) return {};
    return fmt::format("its verdict is {}", verdicts[position]);
  };
}

/// The conditions of `expect finding`.
struct Wanted {
  std::string fault;
  Interval seconds = kAnything, confidence = kAnything, goodput_mbps = kAnything;
  std::optional<Severity> severity;
  std::optional<Direction> direction;
  std::optional<std::size_t> connection;

  /// The first condition that the finding does not meet.
  [[nodiscard]] std::optional<std::string> objection(const Outcome& outcome,
                                                     const Finding& it) const {
    if (severity && it.severity != *severity)
      return fmt::format("its severity is {}", to_string(it.severity));
    if (!within(it.seconds_lost, seconds)) return fmt::format("it costs {:.3f} s", it.seconds_lost);
    if (!within(it.confidence, confidence))
      return fmt::format("its confidence is {:.2f}", it.confidence);
    if (direction && it.direction != direction) return "it is about the other direction";
    const bool about =
        !connection ||
        (*connection < outcome.facts.connections.size() &&
         std::ranges::count(it.connections, outcome.facts.connections[*connection].id));
    if (!about) return "it is about another connection";
    if (goodput_mbps != kAnything) {
      const double goodput_bps = it.after_fix.goodput_bps.value_or(-1);
      if (!within(goodput_bps / 1e6, goodput_mbps)) {
        return fmt::format("its goodput after the fix is {:.3f} Mbit/s", goodput_bps / 1e6);
      }
    }
    return {};
  }
};

Check read_finding(Words& words) {
  Wanted wanted;
  wanted.fault = read_fault(words);
  while (!words.done()) {
    if (words.take("severity")) {
      wanted.severity = read_severity(words);
    } else if (words.take("seconds")) {
      wanted.seconds = words.interval();
    } else if (words.take("confidence")) {
      wanted.confidence = words.interval();
    } else if (words.take("goodput-mbps")) {
      wanted.goodput_mbps = words.interval();
    } else if (words.take("connection")) {
      wanted.connection = static_cast<std::size_t>(words.number("a number", 1, 100'000)) - 1;
    } else if (words.peek() == "c" || words.peek() == "s") {
      wanted.direction = direction_of(read_way(words));
    } else {
      words.finish();
    }
  }
  return [=](const Outcome& outcome) -> std::optional<std::string> {
    std::string why = "there is none";
    for (const Finding& finding : outcome.diagnosis.findings) {
      if (finding.fault != wanted.fault) continue;
      const auto objection = wanted.objection(outcome, finding);
      if (!objection) return {};
      why = *objection;
    }
    return why;
  };
}

/// `expect no FAULT [above SEVERITY]`, `expect no findings [above SEVERITY]`.
Check read_none(Words& words) {
  const bool any = words.take("findings");
  const std::string fault = any ? std::string() : read_fault(words);
  std::optional<Severity> above;
  if (words.take("above")) above = read_severity(words);
  return [=](const Outcome& outcome) -> std::optional<std::string> {
    for (const Finding& it : outcome.diagnosis.findings) {
      if ((!any && it.fault != fault) || (above && it.severity <= *above)) continue;
      return fmt::format("there is {} as {}", it.fault, to_string(it.severity));
    }
    return {};
  };
}

Check read_silence(Words& words) {
  const std::string fault = read_fault(words);
  return [=](const Outcome& outcome) -> std::optional<std::string> {
    if (std::ranges::count(outcome.silences, fault, &detect::Silence::fault) > 0) return {};
    return "it does not say why it is silent";
  };
}

TimeOwner read_owner(Words& words) {
  std::array<std::string_view, kTimeOwnerCount> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = to_string(static_cast<TimeOwner>(i));
  return static_cast<TimeOwner>(words.choice(names));
}

/// `expect time c > s receive-window 40..60`: per cent of the direction's time.
Check read_time(Words& words) {
  const Which which = Which::read(words);
  const Direction direction = direction_of(read_way(words));
  const TimeOwner owner = read_owner(words);
  const Interval bounds = words.interval();
  return [=](const Outcome& outcome) -> std::optional<std::string> {
    const ConnectionFacts* connection = which.find(outcome);
    if (connection == nullptr) return "there is no such connection";
    const double percent = 100 * (*connection)[direction].time.share(owner);
    if (within(percent, bounds)) return {};
    return fmt::format("it is {:.1f} %", percent);
  };
}

/// `expect vantage c > s sender`.
Check read_vantage(Words& words) {
  static constexpr std::array<std::string_view, 5> kNames{"unknown", "sender", "receiver",
                                                          "midpath", "both"};
  const Which which = Which::read(words);
  const Direction direction = direction_of(read_way(words));
  const auto wanted = static_cast<Vantage>(words.choice(kNames));
  return [=](const Outcome& outcome) -> std::optional<std::string> {
    const ConnectionFacts* connection = which.find(outcome);
    if (connection == nullptr) return "there is no such connection";
    const Vantage found = (*connection)[direction].vantage;
    if (found == wanted) return {};
    return fmt::format("it is {}", kNames[static_cast<std::size_t>(found)]);
  };
}

/// `expect normal nf-tso-superframe`.
Check read_normal(Words& words) {
  const std::string id(words.word("an entry of the non-fault catalogue"));
  if (find_non_fault(id) == nullptr) words.fail("an entry of the non-fault catalogue");
  return [=](const Outcome& outcome) -> std::optional<std::string> {
    for (const CaptureFacts& capture : outcome.facts.captures) {
      if (std::ranges::count(capture.notes, id, &NormalNote::id) > 0) return {};
    }
    return "it was not noted";
  };
}

struct Kind {
  std::string_view name;
  Check (*read)(Words&);
};

constexpr std::array kKinds{
    Kind{"verdict", read_verdict}, Kind{"connection", read_connection_verdict},
    Kind{"finding", read_finding}, Kind{"no", read_none},
    Kind{"silence", read_silence}, Kind{"time", read_time},
    Kind{"vantage", read_vantage}, Kind{"normal", read_normal},
};

}  // namespace

Expectation read_expectation(Words& words) {
  Expectation expectation;
  expectation.text = words.rest();
  std::array<std::string_view, kKinds.size()> names;
  std::ranges::transform(kKinds, names.begin(), &Kind::name);
  expectation.check = kKinds[words.choice(names)].read(words);
  return expectation;
}

}  // namespace slowpath::test::scenario
