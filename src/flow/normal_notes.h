// SPDX-License-Identifier: Apache-2.0
// Names what looks like a fault in a capture and is normal there, with counts and frames.
#pragma once

#include "facts/case.h"

namespace slowpath::flow {

struct WitnessFrames {
  Exemplars zero_len;  // IPv4 total length 0
  Exemplars back;      // older than the frame before
};

/// Fills capture.notes from the capture's own counts and from its connections. Ids are those of the
/// non-fault list.
void add_normal_notes(CaptureFacts& capture, const Case& facts, std::uint16_t input,
                      const WitnessFrames& frames);

}  // namespace slowpath::flow
