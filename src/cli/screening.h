// SPDX-License-Identifier: Apache-2.0
// Large captures are read twice: first a light record is made of every connection, then the full
// analysis looks at those that show something, and at the largest.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "cli/inputs.h"
#include "cli/pipeline.h"

namespace slowpath::cli {

/// Whether these inputs are large enough, can be read twice, and nothing was asked for that needs
/// every packet analysed.
bool is_worth_screening(const PipelineOptions& options, std::vector<Input>& inputs);

/// Whether these, of any size, may be screened where they turn out to hold very many connections: a
/// full analysis costs thousands of bytes for each, whatever little it shows. Asked once that is
/// known.
bool may_begin_again(const PipelineOptions& options, std::span<const Input> inputs);

/// What the inputs show, as look() says it. Nothing where they turn out not to be one capture whose
/// files follow each other, or cannot be read twice: then all are still there to be read in full.
std::optional<Looked> look_twice(const PipelineOptions& options, std::vector<Input>& inputs);

}  // namespace slowpath::cli
