// SPDX-License-Identifier: Apache-2.0
// One line of a scenario as words, read from left to right. The first thing that does not fit is
// kept as the line's problem; from then on every read answers a harmless value, so that statements
// read their words straight through and ask for the problem once, at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "facts/address.h"

namespace slowpath::test::scenario {

/// First and one past the last byte, relative to the first byte after the SYN.
using ByteRange = std::pair<std::int64_t, std::int64_t>;

class Words {
 public:
  /// `counters`: of the repeats around this line, outermost first. `$i` is the innermost one, `$j`
  /// the one around it, `$k` the next. Everything from `#` on is left out.
  explicit Words(std::string_view line, std::span<const std::int64_t> counters = {});

  [[nodiscard]] bool done() const { return next_ >= words_.size() || problem_.has_value(); }
  /// The next word, left in place; empty at the end.
  [[nodiscard]] std::string_view peek() const;
  /// Everything that is left, for messages.
  [[nodiscard]] std::string rest() const;
  /// Takes the next word if it is this one.
  bool take(std::string_view word);
  /// Takes the next word, which must be this one.
  void need(std::string_view word);
  /// Takes any word; `what` says in a sentence what was expected if there is none.
  std::string_view word(std::string_view what);
  /// One of the names; its position in the list.
  std::size_t choice(std::span<const std::string_view> names);

  /// Sums of products of sizes and counters: "1460", "64K", "$i*1460+20". Within the bounds.
  std::int64_t number(std::string_view what, std::int64_t least, std::int64_t most);
  /// "0:1460", "0:+1460".
  ByteRange range();
  Duration duration();  // 0 to an hour
  double rate();        // bit/s, above zero
  double share();       // 0..1, from "2%" or "0.02"
  /// "2.5..3.5", "2.5..", "..3.5", "3": the bounds of a plain number.
  std::pair<double, double> interval();
  Endpoint endpoint();  // "10.0.0.1:80", "[2001:db8::1]:80"
  IpAddress address();

  /// Says what was expected in place of the word taken last (or of the end of the line).
  void fail(std::string_view expected);
  /// Leaves out a sign in front of the next word.
  void strip(char sign);
  /// Objects to words that are left over.
  void finish();
  [[nodiscard]] const std::optional<std::string>& problem() const { return problem_; }

 private:
  std::optional<std::int64_t> value_of(std::string_view text) const;

  std::vector<std::string> words_;
  std::size_t next_ = 0;
  std::optional<std::string> problem_;
};

}  // namespace slowpath::test::scenario
