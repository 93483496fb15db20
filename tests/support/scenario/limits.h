// SPDX-License-Identifier: Apache-2.0
// What one scenario may cost, whatever its text claims. The fuzz target runs with far less.
#pragma once

#include <cstddef>
#include <cstdint>

namespace slowpath::test::scenario {

struct Limits {
  std::size_t text_bytes = 1 << 20;
  std::size_t statements = 200'000;            // executed, repeats unrolled
  std::size_t frames = 300'000;                // recorded
  std::uint64_t payload_bytes = 256ull << 20;  // recorded, before the snap length
  std::size_t events = 3'000'000;              // of all transfers together
};

}  // namespace slowpath::test::scenario
