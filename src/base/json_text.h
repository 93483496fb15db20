// SPDX-License-Identifier: Apache-2.0
// JSON to text and back. The library's writer and parser are templates that cost seconds to
// compile: here they are once.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace slowpath {

/// Spaces before each level of a JSON text that people read too; without, it is one line.
inline constexpr int kJsonIndent = 2;
inline constexpr int kJsonInOneLine = -1;

/// Bytes that are no UTF-8 (texts of kernels and of other programs) become U+FFFD. No newline at
/// the end.
std::string json_text(const nlohmann::ordered_json& json, int indent = kJsonIndent,
                      char indent_with = ' ');
std::string json_text(const nlohmann::json& json, int indent = kJsonIndent);

/// A value that is_discarded() where the text is no JSON. The caller has bounded length and depth.
nlohmann::ordered_json parse_ordered_json(std::string_view text);
nlohmann::json parse_json(std::string_view text);

}  // namespace slowpath
