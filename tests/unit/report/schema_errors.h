// SPDX-License-Identifier: Apache-2.0
// A document held to a published schema.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace slowpath::report::test {

/// Why a document breaks the schema (draft-07); empty if it does not.
std::string schema_errors(const nlohmann::json& document, std::string_view schema_text);

}  // namespace slowpath::report::test
