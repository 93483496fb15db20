// SPDX-License-Identifier: Apache-2.0
// The facts of connections that are over, within a budget. They are large, so most of them are
// written to where they stay.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "facts/connection.h"

namespace slowpath::flow {

class FinishedFacts {
 public:
  /// Beyond so many bytes the lightest quarter is let go; whoever asks counts connections himself.
  explicit FinishedFacts(std::uint64_t most_bytes) : most_bytes_(most_bytes) {}

  void keep(ConnectionFacts&& facts);
  /// All live connections are finished now, so many: room is made for them at once.
  void expect_rest(std::size_t count);
  /// What is kept, by id. Spent afterwards.
  std::vector<ConnectionFacts> take();

 private:
  void drop_lightest();

  std::uint64_t most_bytes_;
  std::uint64_t bytes_ = 0;
  // While the capture goes on nobody knows how many there will be: each apart, so that growing
  // costs no second copy of all.
  std::vector<std::unique_ptr<ConnectionFacts>> early_;
  std::vector<ConnectionFacts> kept_;  // from expect_rest() on
};

}  // namespace slowpath::flow
