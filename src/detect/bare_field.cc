// SPDX-License-Identifier: Apache-2.0
// See bare_field.h.
#include "detect/bare_field.h"

namespace slowpath::detect {

bool keeps_to_bare_field(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  const WindowFacts& window = data.window;
  // A field above the segment size could be met by chance; one below half of it cuts segments.
  return window.knowledge == ScaleKnowledge::negotiated && window.shift >= 3 &&
         window.raw_max > 0 && data.segment_size > 2U * window.raw_max && window.holds_bare;
}

}  // namespace slowpath::detect
