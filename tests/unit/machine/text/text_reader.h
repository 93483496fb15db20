// SPDX-License-Identifier: Apache-2.0
// What the tests of the text reader share.
#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "machine/text.h"

namespace slowpath::machine {

inline std::string fixture(const std::string& name) {
  std::ifstream file(std::string(SLOWPATH_SOURCE_DIR) + "/tests/unit/machine/text/fixtures/" + name,
                     std::ios::binary);
  std::string content(std::istreambuf_iterator<char>(file), {});
  EXPECT_FALSE(content.empty()) << name;
  return content;
}

inline MachineFacts facts_of(std::string_view content) {
  MachineFacts facts;
  read_text("host.txt", content, facts);
  return facts;
}

/// "" where it is not set.
inline std::string setting(const MachineFacts& facts, const std::string& key) {
  const auto* told = find_setting(facts, key);
  return told == nullptr ? std::string{} : told->value;
}

/// -1 where it was not read.
inline long long counter(const MachineFacts& facts, const std::string& key) {
  const auto* told = find_counter(facts, key);
  return told == nullptr ? -1 : static_cast<long long>(told->value);
}

/// The interface, or an empty one with a failure.
inline InterfaceFacts interface_in(const MachineFacts& facts, std::string_view name) {
  const auto* found = find_interface(facts, name);
  EXPECT_NE(found, nullptr) << name;
  return found == nullptr ? InterfaceFacts{} : *found;
}

}  // namespace slowpath::machine
