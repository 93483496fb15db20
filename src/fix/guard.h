// SPDX-License-Identifier: Apache-2.0
// Undoes a step by itself unless somebody confirms it in time, so that nobody locks himself out of
// a distant machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "fix/journal.h"

namespace slowpath::fix {

/// Starts a process that outlives this one, its terminal and its session. Once it is
/// `entry.confirm_by_s` it undoes the step, unless the journal says by then that the step was
/// confirmed or undone; while another process holds the journal it waits. Errors: environment.
Result<void> start_guard(const std::string& journal_directory, const Entry& entry);

/// The interface that carries the remote login of this session, and those below it (of a bridge, a
/// bond, a VLAN); empty where there is none. By SSH_CONNECTION (sshd(8)) of this process or, as
/// sudo takes it away, of one that it descends from.
std::vector<std::string> login_interfaces();

/// Whether turning a knob of the step may cut off that login.
bool touches_login(const std::vector<Turn>& turns);

}  // namespace slowpath::fix
