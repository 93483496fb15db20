// SPDX-License-Identifier: Apache-2.0
// Room for what is kept of a connection: most lists stay short, and long ones are not to be moved
// often.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace slowpath::flow {

/// For one more at least, where there is none: 16 at first, then four times as many, `most` in the
/// end. The list holds fewer than `most`.
template <typename T>
void make_room(std::vector<T>& list, std::size_t most) {
  constexpr std::size_t kFirst = 16, kGrowth = 4;
  if (list.size() < list.capacity()) return;
  list.reserve(std::clamp(list.size() * kGrowth, kFirst, most));
}

}  // namespace slowpath::flow
