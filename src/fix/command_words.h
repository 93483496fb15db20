// SPDX-License-Identifier: Apache-2.0
// A command as people write it, in words, and the readers of those forms that fill a file of their
// own. changes_of() in plan.h is what others use.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fix/knob.h"

namespace slowpath::fix {

using CommandWords = std::vector<std::string>;

/// The command without the advice behind it, in words; quotes hold blanks together.
CommandWords command_words(std::string_view command);
bool begins_with(const CommandWords& words, std::initializer_list<std::string_view> expected);
/// Says that `command` is no step, and what can be one.
std::unexpected<Error> not_ours(std::string_view command, std::string cause);

/// `tc qdisc replace|change dev DEV root KIND [OPTION NUMBER]...`, as far as the form goes.
bool is_qdisc_command(const CommandWords& words);
/// Errors: usage.
Result<std::vector<Change>> qdisc_changes(const CommandWords& words, std::string_view command);

/// `ip route change|replace DESTINATION [via GATEWAY] dev DEV METRIC [lock] VALUE`.
bool is_route_command(const CommandWords& words);
/// Errors: usage; of the route there is.
Result<std::vector<Change>> route_changes(const CommandWords& words, std::string_view command,
                                          Kernel& kernel);
/// Whether a metric of that value is locked without anybody's saying so.
bool is_locked_always(std::string_view metric, std::string_view value);

}  // namespace slowpath::fix
