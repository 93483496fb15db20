// SPDX-License-Identifier: Apache-2.0
// What was looked at, as slowpath.diagnosis.v1 has it: captures and their connections. For files
// that write such documents only: it brings the JSON library.
#pragma once

#include <cstddef>

#include "base/json.h"
#include "facts/capture.h"
#include "report/answer.h"

namespace slowpath::report {

/// "input".
nlohmann::ordered_json capture_to_json(const CaptureFacts& capture);
/// The same of one that could not be read, with the reason.
nlohmann::ordered_json unreadable_to_json(const Unreadable& input);
/// "connection", of the one at this position of Case::connections.
nlohmann::ordered_json connection_to_json(const Answer& answer, std::size_t position);

}  // namespace slowpath::report
