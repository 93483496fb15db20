// SPDX-License-Identifier: Apache-2.0
// Any text as a scenario of the lab: read into a world, also with parameters that are drawn, or
// refused with what is wrong. Nothing is run.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "lab/random.h"
#include "lab/scenario.h"
#include "require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace slowpath;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto read = lab::read_scenario("fuzz", text); !read) {
    fuzz::require(!read.error().message().empty());
    return 0;
  }
  lab::Random random(1);
  (void)lab::read_scenario("fuzz", text, {}, &random);
  return 0;
}
