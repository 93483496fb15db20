// SPDX-License-Identifier: Apache-2.0
// `slowpath fix apply`: takes one step, after its undo record is on the disk.
#include <time.h>

#include <memory>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/fix/step.h"
#include "cli/output.h"
#include "fix/guard.h"
#include "fix/journal.h"
#include "fix/persist.h"

namespace slowpath::cli {
namespace {

// Long enough to log in again and say yes.
constexpr std::int64_t kLoginGuard_s = 120;

struct Options {
  StepOptions step;
  std::string journal;
  std::optional<std::int64_t> confirm_within_s;
  bool persist = false, dry_run = false;
};

ExitCode show_only(fix::Kernel& kernel, const fix::ReadyStep& step) {
  std::vector<fix::Turn> turns;
  for (const fix::Change& change : step.changes) {
    const Result<std::string> now = kernel.read(change.knob);
    if (!now) return complain(now.error());
    turns.push_back({change.knob, *now, change.value});
  }
  return write_answer(
      fmt::format("{} would change\n{}Nothing was changed.\n", step.action, describe(turns)));
}

/// Sets the time by which the step must be confirmed, and starts the guard that waits for it.
Result<void> set_guard(fix::Journal& journal, fix::Entry& entry,
                       std::optional<std::int64_t> within_s) {
  if (!within_s && fix::touches_login(entry)) within_s = kLoginGuard_s;
  if (!within_s || *within_s == 0) return {};
  entry.confirm_by_s = time(nullptr) + *within_s;
  if (const Result<void> kept = journal.write(entry); !kept) return kept;
  return fix::start_guard(journal.directory(), entry);
}

ExitCode run(const Options& options) {
  const std::unique_ptr<fix::Kernel> kernel = fix::this_host();
  const Result<fix::ReadyStep> step = ready_step(options.step, *kernel);
  if (!step) return complain(step.error());
  if (options.dry_run) return show_only(*kernel, *step);
  Result<fix::Journal> journal = fix::Journal::open(options.journal);
  if (!journal) return complain(journal.error());
  Result<fix::Entry> entry = fix::apply(*kernel, *journal, *step, time(nullptr));
  if (!entry) return complain(entry.error());
  std::string text =
      fmt::format("Step {}: {}\n{}", entry->id, entry->action, describe(entry->turns));
  if (const Result<void> guarded = set_guard(*journal, *entry, options.confirm_within_s);
      !guarded) {
    // Unguarded it might lock its user out.
    (void)fix::undo(*kernel, *journal, *entry, true);
    return complain(guarded.error());
  }
  if (options.persist) {
    if (const Result<void> lasting = fix::persist(*journal, *entry, ""); !lasting)
      return complain(lasting.error());
    for (const fix::MadeFile& file : entry->files) text += fmt::format("  wrote {}\n", file.path);
  }
  if (entry->confirm_by_s) {
    text += fmt::format("It is undone in {} s unless you say: slowpath fix confirm {}\n",
                        *entry->confirm_by_s - time(nullptr), entry->id);
  }
  text += fmt::format("Undo: slowpath fix undo {}\n", entry->id);
  return write_answer(text);
}

Run declare(CLI::App& app) {
  auto options = std::make_shared<Options>();
  declare_step(app, options->step);
  declare_journal(app, options->journal);
  auto* guard =
      app.add_option(
             "--confirm-within", options->confirm_within_s,
             "Undo by itself after so many seconds unless confirmed; 120 by default where the step "
             "touches the interface of this login, 0 for never")
          ->check(CLI::Range(0, 86400));
  app.add_flag("--persist", options->persist,
               "Make it last over a reboot; undo takes that away as well")
      ->excludes(guard);
  app.add_flag("--dry-run", options->dry_run, "Say what would change, and change nothing");
  return [options] { return run(*options); };
}

}  // namespace

namespace fixes {
extern const Command apply;
const Command apply{
    .name = "apply",
    .summary = "take one step; its undo is kept before",
    .examples =
        "  slowpath fix apply lso-not-segmented/1 --interface eth0 --dry-run\n"
        "  slowpath fix apply lso-not-segmented/1 --interface eth0 --confirm-within 60\n"
        "  slowpath fix apply 'sysctl -w net.ipv4.tcp_mtu_probing=1' --persist\n",
    .declare = declare};
}  // namespace fixes
}  // namespace slowpath::cli
