// SPDX-License-Identifier: Apache-2.0
#include "support/scenario/predicate.h"

#include <array>
#include <charconv>
#include <string_view>

namespace slowpath::test::scenario {
namespace {

/// SplitMix64: the same numbers on every platform.
double next_random(std::uint64_t& state) {
  std::uint64_t z = state += 0x9e37'79b9'7f4a'7c15;
  z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9;
  z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11eb;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

std::set<std::uint64_t> read_numbers(Words& words) {
  std::set<std::uint64_t> numbers;
  std::string_view text = words.word("numbers as 12,13,40");
  while (!text.empty()) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (error != std::errc() || number == 0 || (!text.empty() && text[0] != ',')) {
      words.fail("numbers from 1 on, as 12,13,40");
      break;
    }
    numbers.insert(number);
    if (!text.empty()) text.remove_prefix(1);
  }
  return numbers;
}

}  // namespace

Predicate Predicate::parse(Words& words) {
  static constexpr std::array<std::string_view, 5> kNames{"every", "random", "frames-above",
                                                          "number", "from"};
  Predicate predicate;
  predicate.kind_ = static_cast<Kind>(words.choice(kNames));
  switch (predicate.kind_) {
    case Kind::every:
      predicate.every_ = static_cast<std::uint64_t>(words.number("a count", 1, 1'000'000));
      break;
    case Kind::random:
      predicate.share_ = words.share();
      if (words.take("seed")) {
        predicate.state_ = static_cast<std::uint64_t>(words.number("a seed", 0, 1'000'000'000));
      }
      break;
    case Kind::frames_above:
      predicate.above_ = static_cast<std::uint32_t>(words.number("an IP length", 0, 65535));
      break;
    case Kind::number:
      predicate.numbers_ = read_numbers(words);
      break;
    case Kind::from:
      predicate.from_ = words.duration();
      words.need("to");
      predicate.to_ = words.duration();
      break;
  }
  return predicate;
}

bool Predicate::operator()(const Passing& packet) {
  switch (kind_) {
    case Kind::every:
      return packet.number % every_ == 0;
    case Kind::random:
      return next_random(state_) < share_;
    case Kind::frames_above:
      return packet.ip_len > above_;
    case Kind::number:
      return numbers_.contains(packet.number);
    case Kind::from:
      return packet.at >= from_ && packet.at < to_;
  }
  return false;
}

}  // namespace slowpath::test::scenario
