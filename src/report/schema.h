// SPDX-License-Identifier: Apache-2.0
// The JSON schemas of what the subcommands answer, as docs/slowpath.*.v1.schema.json have them;
// CMake embeds them.
#pragma once

#include <string_view>

namespace slowpath::report {

/// The schemas' text (JSON Schema draft-07). Static lifetime.
std::string_view diagnosis_schema();
std::string_view comparison_schema();
std::string_view fetch_schema();
std::string_view inspection_schema();
std::string_view test_schema();
std::string_view path_schema();

}  // namespace slowpath::report
