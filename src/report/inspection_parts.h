// SPDX-License-Identifier: Apache-2.0
// Parts of an inspection's answer that have a file of their own.
#pragma once

#include <string>

#include "base/json.h"
#include "facts/host_changes.h"
#include "report/layout.h"

namespace slowpath::report {

void write_changes(Page& page, const HostChanges& changes, const std::string& against, bool all);
nlohmann::ordered_json changes_to_json(const HostChanges& changes, const std::string& against);

}  // namespace slowpath::report
