// SPDX-License-Identifier: Apache-2.0
// Values as all JSON documents have them. For files that write such documents only: it brings the
// JSON library.
#pragma once

#include <cmath>
#include <vector>

#include "base/json.h"
#include "facts/frame_ref.h"

namespace slowpath::report {

/// JSON has no infinity and no NaN: null stands for them.
inline nlohmann::ordered_json number(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
}

/// Their numbers; "none" is left out.
inline nlohmann::ordered_json frame_numbers(const std::vector<FrameRef>& frames) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const FrameRef frame : frames) {
    if (frame) list.push_back(frame.number());
  }
  return list;
}

/// For keys that promise a number.
inline double finite(double value) { return std::isfinite(value) ? value : 0.0; }

}  // namespace slowpath::report
