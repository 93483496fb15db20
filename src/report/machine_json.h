// SPDX-License-Identifier: Apache-2.0
// All that was read of a host, as the part "facts" of `slowpath inspect --json --facts`. For files
// that write such documents only: it brings the JSON library.
#pragma once

#include "base/json.h"
#include "facts/machine.h"

namespace slowpath::report {

/// Keys carry their unit; what was not read has no key.
nlohmann::ordered_json machine_to_json(const MachineFacts& facts);

/// Parts of it.
nlohmann::ordered_json interface_to_json(const InterfaceFacts& interface);
nlohmann::ordered_json socket_to_json(const SocketFacts& socket);

/// Adds what was read, under its name.
template <typename T>
void put(nlohmann::ordered_json& object, const char* key, const std::optional<T>& value) {
  if (value) object[key] = *value;
}
inline void put(nlohmann::ordered_json& object, const char* key, const std::string& text) {
  if (!text.empty()) object[key] = text;
}
/// A map, a list or an object that holds anything.
template <typename Values>
void put_all(nlohmann::ordered_json& object, const char* key, const Values& values) {
  if (!values.empty()) object[key] = values;
}

}  // namespace slowpath::report
