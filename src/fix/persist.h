// SPDX-License-Identifier: Apache-2.0
// Makes a step survive a reboot, in the way of the distribution: sysctl.d(5) for sysctls; for
// interfaces a script of ifupdown's if-up.d where that brings them up, else a oneshot unit of
// systemd that the device's appearance starts; for routes see persist_route.h; for a clamp of the
// MSS a unit that comes after nftables'. The journal holds the files, so that undo() takes them
// away.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "fix/journal.h"

namespace slowpath::fix {

/// The files for `entry`; `kernel` is asked how its routes go. `root` stands before every path: ""
/// on a host, a directory in tests. Errors: environment, where nothing that is there
/// could set the knob at start (neither ifupdown nor systemd, no nft(8), nobody who makes the
/// route), or there is nothing to set: the clamp is turned off.
Result<std::vector<MadeFile>> files_for(Kernel& kernel, const Entry& entry,
                                        const std::string& root);

/// Notes the files in the journal and then writes them. Errors: as files_for(), and of the journal.
Result<void> persist(Kernel& kernel, Journal& journal, Entry& entry, const std::string& root);

/// The refusal to make a step last, with what stands in the way, and where to put it by hand.
std::unexpected<Error> cannot_last(const Entry& entry, std::string cause, std::string hint);

}  // namespace slowpath::fix
