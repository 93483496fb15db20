// SPDX-License-Identifier: Apache-2.0
// `slowpath fix apply`: takes one step, after its undo record is on the disk.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/fix/step.h"
#include "cli/output.h"
#include "fix/journal.h"
#include "fix/persist.h"

namespace slowpath::cli {
namespace {

struct Options {
  StepOptions step;
  std::string journal;
  std::optional<std::int64_t> confirm_within_s;
  bool persist = false, dry_run = false;
};

/// The number that the next step of a journal gets; looking makes no journal.
std::uint32_t next_id(const std::string& directory) {
  const Result<fix::Entries> entries = fix::read_entries(directory);
  return entries && !entries->list.empty() ? entries->list.back().id + 1 : 1;
}

/// The files that --persist would write. Errors: where it cannot last.
Result<std::string> describe_files(fix::Kernel& kernel, const fix::ReadyStep& step,
                                   const std::vector<fix::Turn>& turns, const Options& options) {
  if (!options.persist) return std::string();
  fix::Entry entry;
  entry.id = next_id(options.journal);
  entry.action = step.action;
  entry.turns = turns;
  const Result<std::vector<fix::MadeFile>> files = fix::files_for(kernel, entry, "");
  if (!files) return std::unexpected(files.error());
  std::string text;
  for (const fix::MadeFile& file : *files) text += fmt::format("  would write {}\n", file.path);
  return text;
}

ExitCode show_only(fix::Kernel& kernel, const fix::ReadyStep& step,
                   const std::vector<fix::Turn>& turns, const Options& options) {
  const Result<std::string> files = describe_files(kernel, step, turns, options);
  if (!files) return complain(files.error());
  return write_answer(fmt::format("Would be taken: {}\n{}{}{}Nothing was changed.\n", step.action,
                                  describe(turns), *files, describe_untried(turns)));
}

ExitCode run(const Options& options) {
  const std::unique_ptr<fix::Kernel> kernel = fix::this_host();
  const Result<fix::ReadyStep> step = ready_step(options.step, *kernel);
  if (!step) return complain(step.error());
  const Result<std::vector<fix::Turn>> turns = fix::turns_of(*kernel, *step);
  if (!turns) return complain(turns.error());
  // What is to last has a file to write all the same.
  if (fix::turns_nothing(*turns) && !options.persist)
    return write_answer(fmt::format("There is nothing to do: {}\n{}Nothing was changed.\n",
                                    step->action, describe(*turns)));
  if (options.dry_run) return show_only(*kernel, *step, *turns, options);
  Result<fix::Journal> journal = fix::Journal::open(options.journal);
  if (!journal) return complain(journal.error());
  const Result<fix::Entry> entry =
      take(*kernel, *journal, *step, options.confirm_within_s, options.persist);
  if (!entry) return complain(entry.error());
  std::string text =
      fmt::format("Step {}: {}\n{}", entry->id, entry->action, describe(entry->turns));
  for (const fix::MadeFile& file : entry->files) text += fmt::format("  wrote {}\n", file.path);
  text += describe_untried(entry->turns);
  text += describe_guard(*entry);
  text += fmt::format("Undo: slowpath fix undo {}\n", entry->id);
  return write_answer(text);
}

Run declare(const CommandLine& line) {
  auto options = std::make_shared<Options>();
  declare_step(line, options->step);
  declare_journal(line, options->journal);
  const Option guard = line.add_option("--confirm-within", options->confirm_within_s,
                                       "Undo by itself after so many seconds unless confirmed; 120 "
                                       "by default where the step "
                                       "touches the interface of this login, 0 for never")
                           .range(0, 86400);
  line.add_flag("--persist", options->persist,
                "Make it last over a reboot; undo takes that away as well")
      .excludes(guard);
  line.add_flag("--dry-run", options->dry_run, "Say what would change, and change nothing");
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
