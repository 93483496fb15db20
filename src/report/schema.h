// SPDX-License-Identifier: Apache-2.0
// The JSON schema of a diagnosis, as docs/slowpath.diagnosis.v1.schema.json has it; CMake embeds
// it.
#pragma once

#include <string_view>

namespace slowpath::report {

/// The schema's text (JSON Schema draft-07). Static lifetime.
std::string_view diagnosis_schema();

}  // namespace slowpath::report
