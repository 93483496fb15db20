// SPDX-License-Identifier: Apache-2.0
// `slowpath fix undo`, `confirm` and `list`: what was changed, and putting it back.
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>
#include <memory>
#include <ranges>
#include <string>

#include <fmt/format.h>

#include "base/json.h"
#include "base/json_text.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/fix/step.h"
#include "cli/output.h"
#include "fix/apply.h"
#include "fix/journal.h"

namespace slowpath::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string journal;
  std::uint32_t step = 0;
  bool all = false, force = false, dry_run = false, json = false;
};

struct Opened {
  fix::Journal journal;
  fix::Entries entries;
};

/// Whether anything was ever changed here. Looking makes no journal, and needs no right to.
bool has_journal(const std::string& directory) {
  std::error_code code;
  return std::filesystem::exists(directory, code) || code;
}

void complain_of_damage(const fix::Entries& entries) {
  for (const fix::DamagedEntry& damaged : entries.damaged)
    complain(fmt::format("cannot read {}: {}; it is left alone", damaged.file, damaged.why));
}

Result<Opened> open_journal(const std::string& directory) {
  Result<fix::Journal> journal = fix::Journal::open(directory);
  if (!journal) return std::unexpected(journal.error());
  Result<fix::Entries> entries = journal->read();
  if (!entries) return std::unexpected(entries.error());
  complain_of_damage(*entries);
  return Opened{std::move(*journal), std::move(*entries)};
}

Result<fix::Entry*> find_entry(Opened& opened, std::uint32_t id) {
  const auto found = std::ranges::find(opened.entries.list, id, &fix::Entry::id);
  if (found != opened.entries.list.end()) return &*found;
  return fail(ErrorKind::usage, fmt::format("cannot find step {}", id),
              "the journal in " + opened.journal.directory() + " has none",
              "'slowpath fix list' shows what there is");
}

/// The newest first, as one takes off clothes.
std::vector<fix::Entry*> to_undo(Opened& opened) {
  std::vector<fix::Entry*> open;
  for (fix::Entry& entry : opened.entries.list | std::views::reverse) {
    if (entry.state != fix::State::undone) open.push_back(&entry);
  }
  return open;
}

/// Asks at a terminal whether to set back what somebody else has changed.
bool is_agreed(const fix::Undone& undone) {
  if (isatty(STDIN_FILENO) == 0 || isatty(STDERR_FILENO) == 0) return false;
  fmt::print(stderr, "{}Set it back all the same? [y/N] ", describe(undone));
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

/// What an undo would do to a knob.
std::string foretell(fix::Kernel& kernel, const fix::Turn& turn, const Options& options) {
  const std::string name = to_string(turn.knob);
  const Result<std::string> now = kernel.read(turn.knob);
  if (!now) return now.error().message();
  if (turn.before == turn.after || *now == turn.before)
    return fmt::format("{} is {} and would stay so", name, *now);
  if (*now == turn.after || options.force)
    return fmt::format("{} is {} and would be {} again", name, *now, turn.before);
  return fmt::format("{} is {}, not {} as the step left it: it would stay so without --force", name,
                     *now, turn.after);
}

ExitCode undo_one(fix::Kernel& kernel, Opened& opened, fix::Entry& entry, const Options& options,
                  std::string& text) {
  if (entry.state == fix::State::undone) {
    text += fmt::format("Step {}: {}: was undone before, and nothing is left to undo\n", entry.id,
                        entry.action);
    return ExitCode::answered;
  }
  if (options.dry_run) {
    text += fmt::format("Step {}: {}\n", entry.id, entry.action);
    for (const fix::Turn& turn : entry.turns) text += "  " + foretell(kernel, turn, options) + "\n";
    for (const fix::MadeFile& file : entry.files)
      text += fmt::format("  {} would be removed\n", file.path);
    return ExitCode::answered;
  }
  Result<fix::Undone> undone = fix::undo(kernel, opened.journal, entry, options.force);
  if (undone && !undone->conflicts.empty() && is_agreed(*undone))
    undone = fix::undo(kernel, opened.journal, entry, true);
  if (!undone) return complain(undone.error());
  text += fmt::format("Step {}: {}: {}\n{}", entry.id, entry.action,
                      undone->done ? "undone" : "not undone", describe(*undone));
  return undone->done ? ExitCode::answered : ExitCode::environment;
}

ExitCode run_undo(const Options& options) {
  if (options.all && !has_journal(options.journal))
    return write_answer("Nothing is left to undo.\n");
  Result<Opened> opened = open_journal(options.journal);
  if (!opened) return complain(opened.error());
  std::vector<fix::Entry*> entries;
  if (options.all) {
    entries = to_undo(*opened);
  } else {
    const Result<fix::Entry*> entry = find_entry(*opened, options.step);
    if (!entry) return complain(entry.error());
    entries = {*entry};
  }
  if (entries.empty()) return write_answer("Nothing is left to undo.\n");
  const std::unique_ptr<fix::Kernel> kernel = fix::this_host();
  ExitCode worst = ExitCode::answered;
  std::string text;
  for (fix::Entry* entry : entries) {
    const ExitCode code = undo_one(*kernel, *opened, *entry, options, text);
    if (code != ExitCode::answered) worst = code;
  }
  const ExitCode written = write_answer(text);
  return written == ExitCode::answered ? worst : written;
}

ExitCode run_confirm(const Options& options) {
  Result<Opened> opened = open_journal(options.journal);
  if (!opened) return complain(opened.error());
  const Result<fix::Entry*> entry = find_entry(*opened, options.step);
  if (!entry) return complain(entry.error());
  if ((*entry)->state == fix::State::undone) {
    complain(fmt::format("cannot confirm step {}: it was undone", options.step));
    return ExitCode::usage;
  }
  if (options.dry_run)
    return write_answer(fmt::format("Step {} would stay. Nothing was changed.\n", options.step));
  (*entry)->confirm_by_s.reset();
  if (const Result<void> kept = opened->journal.write(**entry); !kept)
    return complain(kept.error());
  return write_answer(fmt::format("Step {} stays.\n", options.step));
}

Json json_of(const fix::Entry& entry) {
  Json turns = Json::array(), files = Json::array();
  for (const fix::Turn& turn : entry.turns)
    turns.push_back(
        {{"knob", to_string(turn.knob)}, {"before", turn.before}, {"after", turn.after}});
  for (const fix::MadeFile& file : entry.files) files.push_back(file.path);
  return {{"id", entry.id},         {"state", to_string(entry.state)}, {"step", entry.step},
          {"action", entry.action}, {"time_s", entry.time_s},          {"turns", turns},
          {"files", files}};
}

std::string time_text(std::int64_t seconds) {
  const time_t when = seconds;
  tm parts{};
  gmtime_r(&when, &parts);
  std::array<char, 32> text{};
  strftime(text.data(), text.size(), "%F %T UTC", &parts);
  return text.data();
}

ExitCode run_list(const Options& options) {
  Result<fix::Entries> entries = fix::Entries{};
  if (has_journal(options.journal)) entries = fix::read_entries(options.journal);
  if (!entries) return complain(entries.error());
  complain_of_damage(*entries);
  Json list = Json::array();
  std::string text;
  for (const fix::Entry& entry : entries->list) {
    list.push_back(json_of(entry));
    text += fmt::format("{:>4}  {:<8}  {}  {}\n{}", entry.id, to_string(entry.state),
                        time_text(entry.time_s), entry.action, describe(entry.turns));
    if (entry.boot_id != fix::boot_id() && entry.state == fix::State::applied) {
      text += entry.files.empty()
                  ? "  the machine was started anew since: the kernel has forgotten it\n"
                  : "  the machine was started anew since\n";
    }
    if (entry.on_trial && entry.state != fix::State::undone)
      text += "  taken by 'slowpath fix prove', which is at work or was cut short\n";
    if (entry.confirm_by_s)
      text += fmt::format("  waits for 'slowpath fix confirm {}' until {}\n", entry.id,
                          time_text(*entry.confirm_by_s));
  }
  if (options.json)
    return write_answer(json_document({{"schema", "slowpath.fix-list.v1"}, {"steps", list}}));
  return write_answer(text.empty() ? "Nothing was changed.\n" : text);
}

Run declare_undo(const CommandLine& line) {
  auto options = std::make_shared<Options>();
  const Option step =
      line.add_option("STEP", options->step, "Number of the step, as 'slowpath fix list' shows it");
  const Option all =
      line.add_flag("--all", options->all, "Every step, the newest first").excludes(step);
  line.add_flag("--force", options->force, "Also what somebody else has changed since");
  line.add_flag("--dry-run", options->dry_run, "Say what would change, and change nothing");
  declare_journal(line, options->journal);
  return [options, step, all] {
    if (step.given() || all.given()) return run_undo(*options);
    complain(
        "cannot undo: no step is named; give its number, or --all ('slowpath fix list' shows "
        "them)");
    return ExitCode::usage;
  };
}

Run declare_confirm(const CommandLine& line) {
  auto options = std::make_shared<Options>();
  line.add_option("STEP", options->step, "Number of the step").required();
  line.add_flag("--dry-run", options->dry_run, "Change nothing");
  declare_journal(line, options->journal);
  return [options] { return run_confirm(*options); };
}

Run declare_list(const CommandLine& line) {
  auto options = std::make_shared<Options>();
  declare_journal(line, options->journal);
  line.add_flag("--json", options->json, "One JSON document");
  return [options] { return run_list(*options); };
}

}  // namespace

namespace fixes {
extern const Command undo;
const Command undo{.name = "undo",
                   .summary = "put back what a step changed, exactly",
                   .examples = "  slowpath fix undo 3\n  slowpath fix undo --all\n",
                   .declare = declare_undo};
extern const Command confirm;
const Command confirm{.name = "confirm",
                      .summary = "keep a step that would be undone by itself",
                      .examples = "  slowpath fix confirm 3\n",
                      .declare = declare_confirm};
extern const Command list;
const Command list{.name = "list",
                   .summary = "what was changed, and what was put back",
                   .examples = "  slowpath fix list\n  slowpath fix list --json\n",
                   .declare = declare_list};
}  // namespace fixes
}  // namespace slowpath::cli
