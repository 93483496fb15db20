// SPDX-License-Identifier: Apache-2.0
#include "support/scenario/words.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/format.h"

namespace slowpath::test::scenario {
namespace {

constexpr std::int64_t kMostValue = std::int64_t{1} << 40;

std::string replace_counters(std::string_view word, std::span<const std::int64_t> counters) {
  std::string text;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const bool is_name = word[i] == '$' && i + 1 < word.size();
    const std::size_t depth =
        is_name ? static_cast<std::size_t>(word[i + 1] - 'i') : counters.size();
    if (depth >= counters.size()) {
      text += word[i];
      continue;
    }
    text += std::to_string(counters[counters.size() - 1 - depth]);
    ++i;
  }
  return text;
}

std::optional<double> plain_double(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return {};
  return value;
}

std::optional<IpAddress> address_of(const std::string& text) {
  IpAddress address;
  address.version = 4;
  if (inet_pton(AF_INET, text.c_str(), address.bytes.data()) == 1) return address;
  address.version = 6;
  if (inet_pton(AF_INET6, text.c_str(), address.bytes.data()) == 1) return address;
  return {};
}

}  // namespace

Words::Words(std::string_view line, std::span<const std::int64_t> counters) {
  line = line.substr(0, line.find('#'));
  while (!line.empty()) {
    const std::size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) break;
    const std::size_t end = std::min(line.find_first_of(" \t\r", begin), line.size());
    words_.push_back(replace_counters(line.substr(begin, end - begin), counters));
    line.remove_prefix(end);
  }
}

std::string_view Words::peek() const { return done() ? std::string_view() : words_[next_]; }

std::string Words::rest() const {
  return fmt::format("{}",
                     fmt::join(std::span(words_).subspan(std::min(next_, words_.size())), " "));
}

bool Words::take(std::string_view word) {
  if (done() || words_[next_] != word) return false;
  ++next_;
  return true;
}

void Words::need(std::string_view word) {
  if (!take(word)) {
    ++next_;
    fail(fmt::format("'{}'", word));
  }
}

std::string_view Words::word(std::string_view what) {
  const std::string_view found = peek();
  ++next_;
  if (found.empty()) fail(what);
  return found;
}

std::size_t Words::choice(std::span<const std::string_view> names) {
  const std::string_view found = peek();
  ++next_;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (found == names[i]) return i;
  }
  fail(fmt::format("one of {}", fmt::join(names, ", ")));
  return 0;
}

std::optional<std::int64_t> Words::value_of(std::string_view text) const {
  const std::size_t sum = text.find_last_of("+-");
  if (sum != std::string_view::npos && sum > 0) {
    const auto left = value_of(text.substr(0, sum)), right = value_of(text.substr(sum + 1));
    if (!left || !right) return {};
    return text[sum] == '+' ? *left + *right : *left - *right;
  }
  const std::size_t product = text.find_last_of('*');
  if (product != std::string_view::npos) {
    const auto left = value_of(text.substr(0, product)), right = value_of(text.substr(product + 1));
    std::int64_t value = 0;
    if (!left || !right || __builtin_mul_overflow(*left, *right, &value)) return {};
    return std::abs(value) <= kMostValue ? std::optional(value) : std::nullopt;
  }
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const Result<std::uint64_t> size = parse_size(text);
  if (!size || *size > static_cast<std::uint64_t>(kMostValue)) return {};
  return negative ? -static_cast<std::int64_t>(*size) : static_cast<std::int64_t>(*size);
}

std::int64_t Words::number(std::string_view what, std::int64_t least, std::int64_t most) {
  // So long a sum is no scenario's; it would only cost recursion.
  constexpr std::size_t kLongestSum = 64;
  const std::string_view text = peek();
  ++next_;
  const auto value = text.size() <= kLongestSum ? value_of(text) : std::nullopt;
  if (value && *value >= least && *value <= most) return *value;
  fail(fmt::format("{} from {} to {}", what, least, most));
  return least;
}

ByteRange Words::range() {
  constexpr std::string_view kShape = "a range of bytes as FIRST:END or FIRST:+LENGTH";
  constexpr std::size_t kLongestSum = 64;
  const std::string text(peek());
  ++next_;
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || text.size() > kLongestSum) return fail(kShape), ByteRange{};
  std::string_view tail = std::string_view(text).substr(colon + 1);
  const bool is_length = tail.starts_with('+');
  if (is_length) tail.remove_prefix(1);
  const auto first = value_of(std::string_view(text).substr(0, colon));
  const auto second = value_of(tail);
  if (!first || !second) return fail(kShape), ByteRange{};
  const std::int64_t end = is_length ? *first + *second : *second;
  if (*first < -1 || end < *first || end > kMostValue) return fail(kShape), ByteRange{};
  return {*first, end};
}

Duration Words::duration() {
  const Result<Duration> parsed = parse_duration(peek());
  ++next_;
  if (parsed && *parsed >= Duration{0} && *parsed <= std::chrono::hours(1)) return *parsed;
  fail("a time with its unit up to an hour, as 20ms or 1.5s");
  return Duration{0};
}

double Words::rate() {
  const Result<double> parsed = parse_rate(peek());
  ++next_;
  if (parsed && *parsed >= 1000 && *parsed <= 1e12) return *parsed;
  fail("a rate in bit/s from 1k to 1T, as 50M");
  return 1e6;
}

double Words::share() {
  const Result<double> parsed = parse_share(peek());
  ++next_;
  if (parsed) return *parsed;
  fail("a share, as 2% or 0.02");
  return 0;
}

std::pair<double, double> Words::interval() {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::string_view text = peek();
  ++next_;
  const std::size_t dots = text.find("..");
  if (dots == std::string_view::npos) {
    if (const auto exact = plain_double(text)) return {*exact, *exact};
  } else {
    const std::string_view low = text.substr(0, dots), high = text.substr(dots + 2);
    const auto least = low.empty() ? -kInfinity : plain_double(low);
    const auto most = high.empty() ? kInfinity : plain_double(high);
    if (least && most) return {*least, *most};
  }
  fail("plain numbers as LEAST..MOST, LEAST.. or ..MOST");
  return {0, 0};
}

IpAddress Words::address() {
  const auto parsed = address_of(std::string(peek()));
  ++next_;
  if (!parsed) fail("an IP address");
  return parsed.value_or(IpAddress{.bytes = {}, .version = 4});
}

Endpoint Words::endpoint() {
  std::string text(peek());
  ++next_;
  const std::size_t colon = text.rfind(':');
  Endpoint endpoint;
  endpoint.address.version = 4;
  if (colon == std::string::npos) return fail("ADDRESS:PORT"), endpoint;
  const std::string port = text.substr(colon + 1);
  text.resize(colon);
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']')
    text = text.substr(1, text.size() - 2);
  const auto parsed = address_of(text);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (!parsed || error != std::errc() || end != port.data() + port.size()) {
    return fail("ADDRESS:PORT"), endpoint;
  }
  endpoint.address = *parsed;
  return endpoint;
}

void Words::fail(std::string_view expected) {
  if (problem_) return;
  const bool at_end = next_ == 0 || next_ > words_.size();
  problem_ = fmt::format("expected {}, but {}", expected,
                         at_end ? "the line ends" : fmt::format("found '{}'", words_[next_ - 1]));
}

void Words::strip(char sign) {
  if (peek().starts_with(sign)) words_[next_].erase(0, 1);
}

void Words::finish() {
  if (done()) return;
  ++next_;
  fail("the end of the line");
}

}  // namespace slowpath::test::scenario
