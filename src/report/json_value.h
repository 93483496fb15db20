// SPDX-License-Identifier: Apache-2.0
// Values as all JSON documents have them. For files that write such documents only: it brings the
// JSON library.
#pragma once

#include <cmath>

#include <nlohmann/json.hpp>

namespace slowpath::report {

/// JSON has no infinity and no NaN: null stands for them.
inline nlohmann::ordered_json number(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
}

}  // namespace slowpath::report
