// SPDX-License-Identifier: Apache-2.0
#include "cli/fix/step.h"

#include <time.h>

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/command_line.h"
#include "fix/guard.h"
#include "fix/journal.h"
#include "fix/persist.h"

namespace slowpath::cli {

void declare_blanks(const CommandLine& line, fix::Blanks& blanks) {
  line.add_option("--interface", blanks.interface,
                  "Network interface that stands for DEV in the step");
  line.add_option("--value", blanks.value, "Value that stands for N, NEW or RATE in the step");
  line.add_option("--destination", blanks.destination,
                  "Address, prefix or 'default' that stands for DST in the step");
  line.add_option("--gateway", blanks.gateway,
                  "Address that stands for GATEWAY; without it the route keeps its own");
}

void declare_step(const CommandLine& line, StepOptions& options) {
  line.add_option(
          "STEP", options.step,
          "FAULT/NUMBER as 'slowpath fix plan' shows it, or a command: 'ethtool -K eth0 tso off'")
      .required();
  declare_blanks(line, options.blanks);
}

void declare_journal(const CommandLine& line, std::string& directory) {
  directory = fix::kJournalDirectory;
  line.add_option("--journal", directory, "Directory where changes and their undo are kept")
      .envname("SLOWPATH_JOURNAL")
      .capture_default_str();
}

Result<fix::ReadyStep> ready_step(const StepOptions& options, fix::Kernel& kernel) {
  fix::ReadyStep ready{.name = options.step, .action = options.step, .changes = {}};
  const bool is_command = options.step.find_first_of(" =") != std::string::npos;
  if (!is_command) {
    const Result<fix::PlannedStep> planned =
        fix::find_step(options.step, Platform::linux, options.blanks);
    if (!planned) return std::unexpected(planned.error());
    const std::string attempt = fmt::format("cannot take the step '{}'", options.step);
    if (!planned->is_ours) {
      return fail(ErrorKind::usage, attempt,
                  fmt::format("it is to be done by hand: {}", planned->command),
                  "its undo: " + planned->undo);
    }
    if (!planned->missing.empty()) {
      return fail(ErrorKind::usage, attempt,
                  fmt::format("'{}' leaves something open", planned->command),
                  fmt::format("add {}", fmt::join(planned->missing, " and ")));
    }
    ready.action = planned->command;
  }
  if (is_command && !fix::blanks_of(ready.action).empty())
    return fail(ErrorKind::usage, fmt::format("cannot take the step '{}'", ready.action),
                "a word in capitals stands for something that is still to be said",
                "write the value itself");
  Result<std::vector<fix::Change>> changes = fix::changes_of(ready.action, kernel);
  if (!changes) return std::unexpected(changes.error());
  ready.changes = std::move(*changes);
  return ready;
}

namespace {

// Long enough to log in again and say yes.
constexpr std::int64_t kLoginGuard_s = 120;

/// What stands between the undo record and the knobs.
Result<void> prepare(fix::Kernel& kernel, fix::Journal& journal, fix::Entry& entry,
                     std::optional<std::int64_t> within_s, bool persist) {
  if (!within_s && fix::touches_login(entry.turns)) within_s = kLoginGuard_s;
  if (within_s && *within_s > 0) {
    entry.confirm_by_s = time(nullptr) + *within_s;
    if (const Result<void> kept = journal.write(entry); !kept) return kept;
    if (const Result<void> guarded = fix::start_guard(journal.directory(), entry); !guarded)
      return guarded;
  }
  return persist ? fix::persist(kernel, journal, entry, "") : Result<void>{};
}

}  // namespace

Result<fix::Entry> take(fix::Kernel& kernel, fix::Journal& journal, const fix::ReadyStep& step,
                        std::optional<std::int64_t> within_s, bool persist) {
  Result<fix::Entry> entry = fix::intend(kernel, journal, step, time(nullptr));
  if (!entry) return entry;
  if (const Result<void> prepared = prepare(kernel, journal, *entry, within_s, persist);
      !prepared) {
    // Nothing was turned yet; files may have been written.
    return std::unexpected(fix::taken_back(kernel, journal, *entry, prepared.error()));
  }
  if (const Result<void> taken = fix::carry_out(kernel, journal, *entry); !taken)
    return std::unexpected(taken.error());
  return entry;
}

std::string describe_guard(const fix::Entry& entry) {
  if (!entry.confirm_by_s) return {};
  return fmt::format("It is undone in {} s unless you say: slowpath fix confirm {}\n",
                     std::max<std::int64_t>(0, *entry.confirm_by_s - time(nullptr)), entry.id);
}

std::string describe(const std::vector<fix::Turn>& turns) {
  std::string text;
  for (const fix::Turn& turn : turns) {
    text += turn.before == turn.after
                ? fmt::format("  {} is {} already\n", to_string(turn.knob), turn.before)
                : fmt::format("  {}: {} -> {}\n", to_string(turn.knob), turn.before, turn.after);
  }
  return text;
}

std::string describe_untried(const std::vector<fix::Turn>& turns) {
  const auto table = std::ranges::find(turns, fix::KnobKind::rss,
                                       [](const fix::Turn& turn) { return turn.knob.kind; });
  if (table == turns.end()) return {};
  return fmt::format(
      "This kind of step was tested against a model of the kernel's interface, and on no driver: "
      "look at 'ethtool -x {}' afterwards.\n",
      table->knob.interface);
}

std::string at_role(std::string_view role) {
  if (role == "both ends") return "at both ends";
  return role == "path" ? "on the path" : fmt::format("at the {}", role);
}

std::string describe(const fix::Undone& undone) {
  std::string text;
  for (const fix::Conflict& conflict : undone.conflicts) {
    const std::string who =
        conflict.later_step == 0
            ? "somebody else has changed it; --force sets it back"
            : fmt::format("step {0} has changed it since; 'slowpath fix undo {0}' comes first",
                          conflict.later_step);
    text +=
        fmt::format("  {} was {} before, {} after the step, and is {} now: {}\n",
                    to_string(conflict.knob), conflict.before, conflict.after, conflict.now, who);
  }
  for (const Error& error : undone.failures) text += fmt::format("  {}\n", error.message());
  for (const fix::Knob& knob : undone.gone)
    text += fmt::format("  {}: the interface exists no more\n", to_string(knob));
  return text;
}

}  // namespace slowpath::cli
