// SPDX-License-Identifier: Apache-2.0
// Finds a JSON value among the lines of an output, so that only two files need the library.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "machine/text/lines.h"

namespace slowpath::machine::text {

/// The array or object that the lines begin with; lines after its end are left to the caller.
struct JsonText {
  nlohmann::json value;
  std::size_t line_count = 0;
};

/// Nothing where it is cut, damaged, or nested deeper than any command prints.
std::optional<JsonText> json_of(Lines lines);

/// Accessors that take any JSON: what is missing or of another type is nothing.
std::optional<std::uint32_t> number32_at(const nlohmann::json& object, const char* key);
std::optional<double> real_at(const nlohmann::json& object, const char* key);
std::string text_at(const nlohmann::json& object, const char* key);
/// The member, or a null value.
const nlohmann::json& member_at(const nlohmann::json& object, const char* key);

}  // namespace slowpath::machine::text
