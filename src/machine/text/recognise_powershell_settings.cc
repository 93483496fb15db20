// SPDX-License-Identifier: Apache-2.0
// Get-NetTCPSetting and Get-NetOffloadGlobalSetting: what the whole host is set to.
#include <string>

#include "machine/text/powershell.h"

namespace slowpath::machine::text {
namespace {

constexpr std::string_view kTcpSetting = "AutoTuningLevelLocal";
constexpr std::string_view kOffload = "ReceiveSegmentCoalescing";

bool recognises(const Output& rest) {
  return begins_powershell(rest.lines, kTcpSetting) || begins_powershell(rest.lines, kOffload);
}

void read(const Output& output, Notes& notes) {
  for (const PowerShellObject& object : powershell_objects(output, notes)) {
    const std::string_view name = object.value("SettingName");
    std::string prefix;
    if (!name.empty()) {
      prefix = "Get-NetTCPSetting." + std::string(name) + ".";
    } else if (object.has(kOffload) || object.has("TaskOffload")) {
      prefix = "Get-NetOffloadGlobalSetting.";
    } else {
      notes.not_understood(object.line);
      continue;
    }
    for (const auto& [property, value] : object.properties) {
      if (!value.empty() && property != "SettingName") {
        notes.setting(prefix + property, value, object.line);
      }
    }
  }
}

}  // namespace

namespace recognisers {
extern const Recogniser powershell_settings;
const Recogniser powershell_settings{"powershell_settings", Platform::windows, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
