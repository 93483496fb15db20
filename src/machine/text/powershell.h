// SPDX-License-Identifier: Apache-2.0
// Objects as PowerShell prints them: a list of "Name : Value" lines, or a table under a rule.
// Which cmdlet printed them is told by the names of the properties, which are never translated.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "machine/text/reader.h"

namespace slowpath::machine::text {

struct PowerShellObject {
  std::vector<std::pair<std::string, std::string>> properties;  // "(ms)" and the like cut off
  Line line;                                                    // the first of it

  /// Empty where there is none.
  [[nodiscard]] std::string_view value(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;
};

/// Whether the lines begin an object that has the property.
bool begins_powershell(Lines lines, std::string_view property);

/// Lines that belong to none are noted as not understood.
std::vector<PowerShellObject> powershell_objects(const Output& output, Notes& notes);

}  // namespace slowpath::machine::text
