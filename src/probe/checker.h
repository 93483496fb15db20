// SPDX-License-Identifier: Apache-2.0
// Compares what arrives with what was sent (pattern.h), as fast as it arrives, and keeps what is
// needed to say what happened to it. Judges nothing: the pattern of a corruption is read elsewhere.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "facts/test.h"
#include "probe/pattern.h"

namespace slowpath::probe {

/// Takes the stream in order, in pieces of any size. Memory is bounded.
class Checker {
 public:
  explicit Checker(Content content) : content_(std::move(content)) {}

  void take(Bytes piece);
  [[nodiscard]] std::uint64_t bytes() const { return facts_.checked_bytes; }
  /// What was found so far.
  [[nodiscard]] const IntegrityFacts& facts() const { return facts_; }

 private:
  [[nodiscard]] std::uint64_t belongs_at(std::int64_t displaced_by) const;
  void accept(std::size_t count);
  std::size_t look_at_difference(Bytes rest);
  std::optional<std::int64_t> displacement_of(Bytes rest) const;
  void note(Bytes seen, std::optional<std::uint64_t> found_at);
  ContentDifference* open_stretch(std::uint64_t at);

  Content content_;
  IntegrityFacts facts_;
  std::uint64_t last_wrong_ = 0;  // one behind the last byte that differed
};

}  // namespace slowpath::probe
