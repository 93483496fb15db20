// SPDX-License-Identifier: Apache-2.0
// The whole catalogue as one Markdown document: docs/faults.md. It says the same as explain_text.h,
// save which faults this version detects, so that a new detector does not change the document.
#pragma once

#include <string>

namespace slowpath::report {

/// The document, ending in a newline.
std::string explain_markdown();

}  // namespace slowpath::report
