// SPDX-License-Identifier: Apache-2.0
// Makes a route's metric survive a reboot where the route is made: a drop-in of systemd.network(5),
// or a script that ifupdown or NetworkManager runs once the interface is up.
#pragma once

#include <string>

#include "base/result.h"
#include "fix/journal.h"
#include "fix/knob.h"

namespace slowpath::fix {

/// The file for the knobs of routes of `entry`, which have not been turned yet: `kernel` is asked
/// how packets to there go and who made the route. `header` begins the file. `root` as for
/// files_for(). Errors: environment, where what makes the route cannot be told this, with the
/// sentence to add by hand.
Result<MadeFile> route_file(Kernel& kernel, const Entry& entry, const std::string& header,
                            const std::string& root);

}  // namespace slowpath::fix
