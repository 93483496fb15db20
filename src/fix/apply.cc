// SPDX-License-Identifier: Apache-2.0
#include "fix/apply.h"

#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ranges>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace slowpath::fix {
namespace {

void tell(const Watcher& watcher, std::string_view point) {
  if (watcher) watcher(point);
}

/// Turns one knob and looks whether it took.
Result<void> turn_and_check(Kernel& kernel, const Knob& knob, const std::string& value) {
  if (const Result<void> turned = kernel.write(knob, value); !turned) return turned;
  const Result<std::string> now = kernel.read(knob);
  if (!now) return std::unexpected(now.error());
  if (*now == value) return {};
  return fail(ErrorKind::environment, fmt::format("cannot set {} to '{}'", to_string(knob), value),
              fmt::format("the kernel took it and still says '{}'", *now));
}

void turn_back(Kernel& kernel, const Turn& turn, bool force, Undone& undone) {
  if (turn.before == turn.after) return;  // the step did not turn it
  const Result<std::string> now = kernel.read(turn.knob);
  if (!now) {
    if (!turn.knob.interface.empty() && if_nametoindex(turn.knob.interface.c_str()) == 0 &&
        now.error().kind == ErrorKind::environment) {
      undone.gone.push_back(turn.knob);
    } else {
      undone.failures.push_back(now.error());
    }
    return;
  }
  if (*now == turn.before) return;
  if (*now != turn.after && !force) {
    undone.conflicts.push_back({turn.knob, turn.before, turn.after, *now, 0});
    return;
  }
  if (const Result<void> turned = turn_and_check(kernel, turn.knob, turn.before); !turned) {
    undone.failures.push_back(turned.error());
  }
}

/// Tells what this journal's own later steps did from what somebody else did.
void name_later_steps(const Journal& journal, const Entry& entry, Undone& undone) {
  if (undone.conflicts.empty()) return;
  const Result<Entries> entries = journal.read();
  if (!entries) return;
  for (Conflict& conflict : undone.conflicts) {
    for (const Entry& later : entries->list) {
      if (later.id <= entry.id || later.state == State::undone) continue;
      const bool left_it_so = std::ranges::any_of(later.turns, [&](const Turn& turn) {
        return turn.knob == conflict.knob && turn.after == conflict.now;
      });
      if (left_it_so) conflict.later_step = later.id;
    }
  }
}

Error with_hint(Error error, std::string_view what) {
  error.hint += error.hint.empty() ? what : fmt::format("; {}", what);
  return error;
}

void remove_file(const MadeFile& file, Undone& undone) {
  // What a kill left half written has another name (write_synced()).
  unlink((file.path + kUnfinished).c_str());
  const bool gone = unlink(file.path.c_str()) == 0 || errno == ENOENT;
  // A folder of wants or of drop-ins was perhaps made for it; it goes if it is empty.
  const std::string folder = file.path.substr(0, file.path.rfind('/'));
  if (folder.ends_with(".device.wants") || folder.ends_with(".network.d")) rmdir(folder.c_str());
  if (gone) return;
  undone.failures.push_back(
      {ErrorKind::environment, "cannot remove " + file.path, std::strerror(errno), {}});
}

}  // namespace

Result<std::vector<Turn>> turns_of(Kernel& kernel, const ReadyStep& step) {
  std::vector<Turn> turns;
  for (const Change& change : step.changes) {
    Result<std::string> before = kernel.read(change.knob);
    if (!before) return std::unexpected(before.error());
    turns.push_back({change.knob, std::move(*before), single_spaced(change.value)});
  }
  return turns;
}

bool turns_nothing(const std::vector<Turn>& turns) {
  return std::ranges::all_of(turns, [](const Turn& turn) { return turn.before == turn.after; });
}

Result<Entry> intend(Kernel& kernel, Journal& journal, const ReadyStep& step, std::int64_t now_s,
                     const Watcher& watcher) {
  Result<std::vector<Turn>> turns = turns_of(kernel, step);
  if (!turns) return std::unexpected(turns.error());
  Entry entry;
  entry.step = step.name;
  entry.action = step.action;
  entry.boot_id = boot_id();
  entry.time_s = now_s;
  entry.on_trial = step.on_trial;
  entry.turns = std::move(*turns);
  if (const Result<void> kept = journal.write(entry); !kept) return std::unexpected(kept.error());
  tell(watcher, "intended");
  return entry;
}

Error taken_back(Kernel& kernel, Journal& journal, Entry& entry, Error error) {
  const Result<Undone> undone = undo(kernel, journal, entry, true);
  // Then all knobs are back, and only the journal does not say so.
  if (!undone)
    return with_hint(std::move(error),
                     fmt::format("the host is as it was before, but the record still "
                                 "says otherwise: {}",
                                 undone.error().message()));
  if (undone->done) return with_hint(std::move(error), "the host is as it was before");
  std::vector<std::string> left;
  for (const Error& failure : undone->failures) left.push_back(failure.message());
  return with_hint(std::move(error),
                   fmt::format("the step was not taken back whole: {}; 'slowpath fix undo {} "
                               "--force' tries again",
                               fmt::join(left, "; "), entry.id));
}

Result<void> carry_out(Kernel& kernel, Journal& journal, Entry& entry, const Watcher& watcher) {
  for (const Turn& turn : entry.turns) {
    if (turn.before == turn.after) continue;
    const Result<void> turned = turn_and_check(kernel, turn.knob, turn.after);
    tell(watcher, "turned");
    if (turned) continue;
    // What is half done is worse than what was not begun.
    return std::unexpected(taken_back(kernel, journal, entry, turned.error()));
  }
  entry.state = State::applied;
  if (const Result<void> kept = journal.write(entry); !kept) {
    // Whoever is told that it failed must not find it taken. The record will still say `intended`.
    return std::unexpected(taken_back(kernel, journal, entry, kept.error()));
  }
  tell(watcher, "applied");
  return {};
}

Result<Entry> apply(Kernel& kernel, Journal& journal, const ReadyStep& step, std::int64_t now_s,
                    const Watcher& watcher) {
  Result<Entry> entry = intend(kernel, journal, step, now_s, watcher);
  if (!entry) return entry;
  if (const Result<void> taken = carry_out(kernel, journal, *entry, watcher); !taken)
    return std::unexpected(taken.error());
  return entry;
}

Result<Undone> undo(Kernel& kernel, Journal& journal, Entry& entry, bool force,
                    const Watcher& watcher) {
  Undone undone;
  for (const MadeFile& file : entry.files) remove_file(file, undone);
  for (const Turn& turn : entry.turns | std::views::reverse) {
    turn_back(kernel, turn, force, undone);
    tell(watcher, "turned back");
  }
  undone.done = undone.conflicts.empty() && undone.failures.empty();
  name_later_steps(journal, entry, undone);
  if (!undone.done) return undone;
  entry.state = State::undone;
  entry.on_trial = false;
  entry.confirm_by_s.reset();
  if (const Result<void> kept = journal.write(entry); !kept)
    return std::unexpected(
        with_hint(kept.error(), "all is as it was before the step; undo it again once that works"));
  tell(watcher, "undone");
  return undone;
}

}  // namespace slowpath::fix
