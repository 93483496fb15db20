// SPDX-License-Identifier: Apache-2.0
// Undoes a step by itself unless somebody confirms it in time, so that nobody locks himself out of
// a distant machine.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "fix/journal.h"

namespace slowpath::fix {

/// Starts a process that outlives this one, its terminal and its session. Once it is
/// `entry.confirm_by_s` it undoes the step, unless the journal says by then that the step was
/// confirmed or undone. Errors: environment.
Result<void> start_guard(const std::string& journal_directory, const Entry& entry);

/// The interface that carries the remote login of this session (SSH_CONNECTION, sshd(8)), or empty.
std::string login_interface();

/// Whether turning a knob of `interface` may cut off that login: the interface itself.
bool touches_login(const Entry& entry);

}  // namespace slowpath::fix
