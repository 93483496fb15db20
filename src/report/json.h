// SPDX-License-Identifier: Apache-2.0
// The answer as JSON, `slowpath.diagnosis.v1` (DESIGN section 5; schema in docs/). Numbers are raw,
// with their unit in the key; no number is ever non-finite; text that is no UTF-8 is repaired.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "report/answer.h"

namespace slowpath::report {

struct JsonOptions {
  std::size_t most_connections = 1000;  // listed; those that a finding names always are
  bool explain = false;                 // with "silences"
  bool pretty = true;                   // one document over several lines, or all on one
};

/// The whole answer as one document, ended by a newline.
std::string to_json(const Answer& answer, const JsonOptions& options);

/// One line for each listed connection, a connection object of the contract, and last the document,
/// whose "connections" is empty.
std::string to_jsonl(const Answer& answer, const JsonOptions& options);

/// The document that says why there is no answer, on one line; the program's exit code is not 0.
std::string error_to_json(std::string_view sentence);

}  // namespace slowpath::report
