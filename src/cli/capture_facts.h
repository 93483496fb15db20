// SPDX-License-Identifier: Apache-2.0
// What a file says about itself, put beside what its packets show.
#pragma once

#include "capture/source.h"
#include "cli/pipeline.h"
#include "facts/capture.h"

namespace slowpath::cli {

/// Fills the fields of `facts` that only the source knows: names, format, damage, drops.
void fill_from_source(CaptureFacts& facts, const InputName& name, const capture::SourceInfo& info);

}  // namespace slowpath::cli
