// SPDX-License-Identifier: Apache-2.0
// What the subcommands of `slowpath fix` share: the options that name a step and a journal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/command_line.h"
#include "fix/apply.h"
#include "fix/plan.h"

namespace slowpath::cli {

struct StepOptions {
  std::string step;  // "lso-not-segmented/1", or a command
  fix::Blanks blanks;
};
void declare_step(const CommandLine& line, StepOptions& options);
void declare_blanks(const CommandLine& line, fix::Blanks& blanks);
void declare_journal(const CommandLine& line, std::string& directory);

/// The step with its knobs. Errors: usage (no such step, a blank that is not filled, another
/// platform's command), or of the interface.
Result<fix::ReadyStep> ready_step(const StepOptions& options, fix::Kernel& kernel);

/// Takes a step: the undo record first, then the guard where there is to be one, then the knobs.
/// `within_s`: until when it has to be confirmed; 0 for never, nothing for 120 s where it touches
/// the interface of this login. With `persist` the files that make it last are written before the
/// knobs are turned, or nothing is done. Errors: of the journal, the guard, a file or a knob; then
/// all is as it was.
Result<fix::Entry> take(fix::Kernel& kernel, fix::Journal& journal, const fix::ReadyStep& step,
                        std::optional<std::int64_t> within_s, bool persist);

/// "It is undone in 120 s unless you say: ..." or empty.
std::string describe_guard(const fix::Entry& entry);

/// "tx-tcp-segmentation of eth0: on -> off", a line for each knob, indented.
std::string describe(const std::vector<fix::Turn>& turns);
/// "at the sender", "at both ends", "on the path".
std::string at_role(std::string_view role);
/// Says of a kind of knob that no interface was at hand on which it could be tried; else empty.
std::string describe_untried(const std::vector<fix::Turn>& turns);
/// What undo left behind, a line each; empty where all is as it was.
std::string describe(const fix::Undone& undone);

}  // namespace slowpath::cli
