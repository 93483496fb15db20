// SPDX-License-Identifier: Apache-2.0
// The answer of `slowpath inspect`, as text for a person and as JSON, `slowpath.inspection.v1`
// (schema in docs/).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "facts/host_changes.h"
#include "facts/inspection.h"
#include "facts/machine.h"
#include "report/text.h"

namespace slowpath::report {

/// One inspected host.
struct Inspected {
  MachineFacts facts;
  Inspection inspection;
  std::string source;        // "live", or the paths that were read
  double elapsed_s = 0;      // what the looking took
  bool interrupted = false;  // the answer so far, after a signal
  /// What differs from an earlier reading, which came from `against`; absent where none was given.
  std::optional<HostChanges> changes;
  std::string against;
};

/// What is wrong first; then what was looked at, what was not, and what was not understood. Of
/// TextOptions style, all, explain and quiet are heeded.
std::string inspection_to_text(const Inspected& inspected, const TextOptions& options);

/// The whole answer as one document, ended by a newline; with `facts` also all that was read.
std::string inspection_to_json(const Inspected& inspected, bool facts = false);

/// The document that says why there is no answer.
std::string inspection_error_to_json(std::string_view sentence);

/// All rules about hosts as one Markdown document: docs/inspect.md.
std::string inspection_rules_markdown();

}  // namespace slowpath::report
