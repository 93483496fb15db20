// SPDX-License-Identifier: Apache-2.0
// What a light record shows that is worth judging, and what it may have cost. Bounds from above:
// the full analysis may well find that all was in order.
#pragma once

#include <array>
#include <cstdint>

#include "facts/screening.h"
#include "flow/screen/light_record.h"

namespace slowpath::flow {

constexpr std::uint32_t bit_of(LightSign sign) { return 1U << static_cast<unsigned>(sign); }

struct LightSigns {
  std::uint32_t all = 0;    // bit_of() each
  std::uint32_t grave = 0;  // of these: enough time or data is at stake that it could be a fault
  std::array<float, kLightSignCount> cost_s{};

  [[nodiscard]] bool has(LightSign sign) const { return (all & bit_of(sign)) != 0; }
};

LightSigns judge_signs(const LightRecord& record);

}  // namespace slowpath::flow
