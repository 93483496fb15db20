// SPDX-License-Identifier: Apache-2.0
// JSON to text and back. The library's writer and parser are templates that cost seconds to
// compile: here they are once.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace slowpath {

/// Spaces before each level of a document that people read too; without, it is one line.
inline constexpr int kJsonIndent = 2;
inline constexpr int kJsonInOneLine = -1;

/// A whole document, its last line ended. Bytes that are no UTF-8 (texts of kernels and of other
/// programs) become U+FFFD, here and below.
std::string json_document(const nlohmann::ordered_json& json, int indent = kJsonIndent,
                          char indent_with = ' ');

/// A value within something else: in one line, which is not ended.
std::string json_text(const nlohmann::ordered_json& json);
std::string json_text(const nlohmann::json& json);

/// A value that is_discarded() where the text is no JSON. The caller has bounded length and depth;
/// of a stream no more is read than it takes to see that it is none.
nlohmann::ordered_json parse_ordered_json(std::string_view text);
nlohmann::ordered_json parse_ordered_json(std::istream& stream);
nlohmann::json parse_json(std::string_view text);

}  // namespace slowpath
