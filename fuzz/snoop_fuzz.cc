// SPDX-License-Identifier: Apache-2.0
// Any bytes, opened as a capture and read to the end. The corpus holds snoop files.
#include "read_capture.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  slowpath::fuzz::read_capture(data, size);
  return 0;
}
