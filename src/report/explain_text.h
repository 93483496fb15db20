// SPDX-License-Identifier: Apache-2.0
// The catalogue as text for a terminal: one fault, one thing that is normal, or the list of all.
// The same entries as a document are in explain_markdown.h.
#pragma once

#include <string>

#include "facts/catalogue.h"
#include "facts/non_faults.h"
#include "report/layout.h"

namespace slowpath::report {

/// Whether this version has a detector for the fault, or a rule about hosts, so that it can be a
/// verdict.
bool is_detected(const Fault& fault);

/// What the fault is, how it is recognised at each place, its look-alikes, what proves it, and each
/// remedy with its undo.
std::string explain_text(const Fault& fault, const Style& style);

/// Why something that looks like a fault is normal.
std::string explain_text(const NonFault& normal, const Style& style);

/// All ids with their names, family by family; those without a detector are marked.
std::string explain_list(const Style& style);

}  // namespace slowpath::report
