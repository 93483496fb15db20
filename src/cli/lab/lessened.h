// SPDX-License-Identifier: Apache-2.0
// A capture of the lab as somebody else might have taken it: begun late, cut short, of one
// direction alone, with a coarse clock. The truth stays; who judges it sees less, or something odd.
// What then is named has to be right all the same.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/frame.h"

namespace slowpath::cli {

/// A way of taking a capture. It changes frames, in the order of the file; `seed` is of what is
/// drawn. Bytes of frames are those of before, or fewer of them.
struct Lessening {
  std::string_view name;
  void (*change)(std::vector<wire::Frame>& frames, std::uint64_t seed);
};

std::span<const Lessening> lessenings();

/// Reads the capture `from` and writes it to `to` as `how` would have taken it. Errors: input and
/// environment, as of open_capture() and PcapngWriter.
Result<void> write_lessened(const std::string& from, const std::string& to, const Lessening& how,
                            std::uint64_t seed);

}  // namespace slowpath::cli
