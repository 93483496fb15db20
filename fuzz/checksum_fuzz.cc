// SPDX-License-Identifier: Apache-2.0
// The fast checksum against its plain twin, wherever in memory the bytes begin and end, and what
// follows from RFC 1071 and 1624: sums of parts make the sum of the whole, and an update is the
// same as a new sum. The first two bytes say where to cut and what to change.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "require.h"
#include "wire/checksum.h"

namespace {

using namespace slowpath;
using namespace slowpath::wire;
using fuzz::require;

/// Every start within a vector register: loads that are aligned for one are not for another.
void check_placement(Bytes bytes) {
  const std::uint16_t plain = ones_sum_plain(bytes);
  std::vector<std::byte> room(bytes.size() + 64);
  for (std::size_t start = 0; start < 33; start += 1 + start / 4) {
    std::copy(bytes.begin(), bytes.end(), room.begin() + static_cast<std::ptrdiff_t>(start));
    require(ones_sum(Bytes(room).subspan(start, bytes.size())) == plain);
  }
}

void check_parts(Bytes bytes, std::size_t cut) {
  const std::size_t even = cut % (bytes.size() + 1) & ~std::size_t{1};
  const std::uint16_t parts = ones_add(ones_sum(bytes.first(even)), ones_sum(bytes.subspan(even)));
  require(ones_equal(parts, ones_sum_plain(bytes)));
}

void check_update(Bytes bytes, std::size_t at, std::uint16_t value) {
  if (bytes.size() < 4) return;
  std::vector<std::byte> changed(bytes.begin(), bytes.end());
  const std::size_t word = at % (bytes.size() / 2) * 2;
  const std::uint16_t before = load_be16(changed.data() + word);
  changed[word] = static_cast<std::byte>(value >> 8);
  changed[word + 1] = static_cast<std::byte>(value);
  require(ones_equal(checksum_update(checksum_plain(bytes), before, value), checksum(changed)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Bytes bytes{reinterpret_cast<const std::byte*>(data) + 2, size - 2};
  check_placement(bytes);
  check_parts(bytes, std::size_t{data[0]} * 8);
  check_update(bytes, data[0], static_cast<std::uint16_t>(data[1] * 257));
  return 0;
}
