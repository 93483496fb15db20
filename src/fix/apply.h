// SPDX-License-Identifier: Apache-2.0
// Turns the knobs of one step, and turns them back.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fix/journal.h"
#include "fix/knob.h"

namespace slowpath::fix {

/// One step, ready to be taken.
struct ReadyStep {
  std::string name;    // for the journal: "lso-not-segmented/1"
  std::string action;  // for people: "ethtool -K eth0 tso off"
  std::vector<Change> changes;
  bool on_trial = false;  // Entry::on_trial
};

/// Told where apply() and undo() have got to, so that a test can end the process there.
using Watcher = std::function<void(std::string_view point)>;

/// What the step would turn, each knob as it is now. Errors: of a knob that cannot be read.
Result<std::vector<Turn>> turns_of(Kernel& kernel, const ReadyStep& step);
/// Whether all is as wanted already, so that nothing would be turned.
bool turns_nothing(const std::vector<Turn>& turns);

/// Writes the undo record and turns nothing yet, so that a guard can be started before the host is
/// touched. Errors: of the journal, or of a knob that cannot be read.
Result<Entry> intend(Kernel& kernel, Journal& journal, const ReadyStep& step, std::int64_t now_s,
                     const Watcher& watcher = {});
/// Takes a step back that failed with `error`. Gives that error; its hint says whether all is as it
/// was, and else what is not.
Error taken_back(Kernel& kernel, Journal& journal, Entry& entry, Error error);

/// Takes the step that was intended: as apply(), from there on.
Result<void> carry_out(Kernel& kernel, Journal& journal, Entry& entry, const Watcher& watcher = {});

/// Both: writes the undo record, turns the knobs in order, and reads each back. What is already as
/// wanted is left alone and recorded as such. Where a knob cannot be turned those before it are
/// turned back and the entry says `undone`. `now_s`: UTC. Errors: of the journal or of the knob.
Result<Entry> apply(Kernel& kernel, Journal& journal, const ReadyStep& step, std::int64_t now_s,
                    const Watcher& watcher = {});

/// A knob that is neither as it was before the step nor as the step left it: somebody else has
/// turned it since, or a later step of this journal.
struct Conflict {
  Knob knob;
  std::string before, after, now;
  std::uint32_t later_step = 0;  // which is not undone, and left the knob as it is now; 0: none
};

struct Undone {
  bool done = false;                // all is as it was, and the journal says so
  std::vector<Conflict> conflicts;  // left as they are, unless forced
  std::vector<Error>
      failures;  // knobs that could not be read or turned, files that could not be removed
  std::vector<Knob> gone;  // of interfaces that exist no more: nothing is left to turn back
};

/// Puts back what the step of `entry` turned, in reverse order, whether it was applied whole, in
/// part or not at all; also after a reboot, when the kernel has forgotten most of it. What was as
/// wanted before the step is not the step's, and is left alone. `force` turns back what somebody
/// else changed as well. Errors: of the journal.
Result<Undone> undo(Kernel& kernel, Journal& journal, Entry& entry, bool force,
                    const Watcher& watcher = {});

}  // namespace slowpath::fix
