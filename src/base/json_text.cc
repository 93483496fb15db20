// SPDX-License-Identifier: Apache-2.0
#include "base/json_text.h"

#include <istream>

#include "base/json.h"

namespace slowpath {
namespace {

template <typename Json>
std::string dumped(const Json& json, int indent, char indent_with) {
  return json.dump(indent, indent_with, false, Json::error_handler_t::replace);
}

}  // namespace

std::string json_document(const nlohmann::ordered_json& json, int indent, char indent_with) {
  return dumped(json, indent, indent_with) + '\n';
}

std::string json_text(const nlohmann::ordered_json& json) {
  return dumped(json, kJsonInOneLine, ' ');
}

std::string json_text(const nlohmann::json& json) { return dumped(json, kJsonInOneLine, ' '); }

nlohmann::ordered_json parse_ordered_json(std::string_view text) {
  return nlohmann::ordered_json::parse(text, nullptr, false);
}

nlohmann::ordered_json parse_ordered_json(std::istream& stream) {
  return nlohmann::ordered_json::parse(stream, nullptr, false);
}

nlohmann::json parse_json(std::string_view text) {
  return nlohmann::json::parse(text, nullptr, false);
}

}  // namespace slowpath

template class nlohmann::basic_json<>;
template class nlohmann::basic_json<nlohmann::ordered_map>;
