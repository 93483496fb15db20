// SPDX-License-Identifier: Apache-2.0
// The library for JSON, with its values' members compiled once (json_text.cc) and not in every file
// that has a value: that was half of such a file's time. Headers that only name a value include
// <nlohmann/json_fwd.hpp>.
#pragma once

#include <nlohmann/json.hpp>

extern template class nlohmann::basic_json<>;
extern template class nlohmann::basic_json<nlohmann::ordered_map>;
