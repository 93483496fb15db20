// SPDX-License-Identifier: Apache-2.0
// `slowpath fix prove`: measures with the step and without, in turns, and keeps it only if it
// helped.
#include "fix/prove.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/format.h"
#include "base/json.h"
#include "base/json_text.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/fix/measure.h"
#include "cli/fix/step.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "fix/journal.h"
#include "fix/proof_state.h"

namespace slowpath::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  StepOptions step;
  std::string journal, measure;
  fix::ProofOptions proof;
  std::optional<std::int64_t> confirm_within_s;
  bool smaller_is_better = false, json = false, dry_run = false, anew = false;
};

/// As the command printed it.
double figure_of(double value, const Options& options) {
  return options.smaller_is_better && value > 0 ? 1 / value : value;
}

/// Takes a step and takes it back, an entry of the journal each time.
class Switch {
 public:
  Switch(fix::Kernel& kernel, fix::Journal& journal, fix::ReadyStep step,
         std::optional<std::int64_t> within_s)
      : kernel_(kernel), journal_(journal), step_(std::move(step)), within_s_(within_s) {
    step_.on_trial = true;
  }

  Result<void> turn(bool on) {
    if (on == entry_.has_value()) return {};
    if (on) {
      Result<fix::Entry> entry = take(kernel_, journal_, step_, within_s_, false);
      if (!entry) return std::unexpected(entry.error());
      entry_ = std::move(*entry);
      return {};
    }
    const Result<fix::Undone> undone = fix::undo(kernel_, journal_, *entry_, false);
    if (!undone) return std::unexpected(undone.error());
    if (!undone->done)
      return fail(ErrorKind::environment, fmt::format("cannot undo '{}'", step_.action),
                  describe(*undone));
    entry_.reset();
    return {};
  }
  /// Takes it for good.
  Result<void> keep() {
    step_.on_trial = false;
    return turn(true);
  }
  [[nodiscard]] const std::optional<fix::Entry>& entry() const { return entry_; }

 private:
  fix::Kernel& kernel_;
  fix::Journal& journal_;
  fix::ReadyStep step_;
  std::optional<std::int64_t> within_s_;
  std::optional<fix::Entry> entry_;
};

/// Takes back what a proof of this step left taken when it was cut short. Errors: of another step's
/// proof, and where it cannot be taken back.
Result<void> clear_trials(fix::Kernel& kernel, fix::Journal& journal, const std::string& action) {
  Result<fix::Entries> entries = journal.read();
  if (!entries) return std::unexpected(entries.error());
  for (fix::Entry& entry : entries->list | std::views::reverse) {
    if (!entry.on_trial || entry.state == fix::State::undone) continue;
    const std::string attempt = fmt::format("cannot prove '{}'", action);
    const std::string cut_short = fmt::format(
        "a proof of '{}' was cut short, and its step {} is still taken", entry.action, entry.id);
    const std::string hint = fmt::format("slowpath fix undo {}", entry.id);
    if (entry.action != action) return fail(ErrorKind::environment, attempt, cut_short, hint);
    const Result<fix::Undone> undone = fix::undo(kernel, journal, entry, false);
    if (!undone) return std::unexpected(undone.error());
    if (!undone->done)
      return fail(ErrorKind::environment, attempt, cut_short + ":\n" + describe(*undone),
                  hint + " --force");
  }
  return {};
}

/// Errors: where the step would change nothing, so that there is nothing to prove; of a knob.
Result<void> check_turns(fix::Kernel& kernel, const fix::ReadyStep& step) {
  const Result<std::vector<fix::Turn>> turns = fix::turns_of(kernel, step);
  if (!turns) return std::unexpected(turns.error());
  if (!fix::turns_nothing(*turns)) return {};
  return fail(ErrorKind::usage, fmt::format("cannot prove '{}'", step.action),
              "it is so already, and nothing would be turned",
              "prove its reverse: that must do harm");
}

/// What was measured before, if it was the same question.
std::vector<fix::Pair> earlier_pairs(const fix::Journal& journal, const fix::ProofState& question,
                                     bool anew) {
  const std::optional<fix::ProofState> earlier = fix::read_proof(journal);
  if (anew || !earlier || !earlier->is_same_question(question) || earlier->pairs.empty()) return {};
  complain(
      fmt::format("goes on with {} {} measured before{}; --anew forgets them",
                  earlier->pairs.size(), earlier->pairs.size() == 1 ? "pair" : "pairs",
                  earlier->boot_id == question.boot_id ? "" : " the machine was started anew"));
  return earlier->pairs;
}

void show_progress(const fix::Pair& pair, std::size_t number, const Options& options) {
  if (isatty(STDERR_FILENO) == 0) return;
  fmt::print(stderr, "pair {}: without {:.4g}, with {:.4g}\n", number,
             figure_of(pair.without, options), figure_of(pair.with, options));
}

std::string times(double ratio) {
  constexpr double kCountable = 1e15;
  if (ratio > kCountable) return "infinitely many";
  return ratio < 100 ? fmt::format("{:.3g}", ratio)
                     : format_count(static_cast<std::uint64_t>(ratio));
}

std::string said(double figure, const fix::Proof& proof) {
  return proof.is_rate ? format_rate(figure) : fmt::format("{:.4g}", figure);
}

/// Of both, the figure in the middle.
std::string medians(const fix::Proof& proof, const Options& options) {
  std::vector<double> without, with;
  for (const fix::Pair& pair : proof.pairs) {
    without.push_back(figure_of(pair.without, options));
    with.push_back(figure_of(pair.with, options));
  }
  const auto middle = [](std::vector<double>& values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
  };
  if (proof.pairs.empty()) return {};
  return fmt::format("{} without the step, {} with it (medians of {} pairs)",
                     said(middle(without), proof), said(middle(with), proof), proof.pairs.size());
}

std::string sentence(const fix::Proof& proof, const Options& options) {
  const std::string measured = fmt::format(
      "{}; {} times {} (95 % interval {} to {})", medians(proof, options), times(proof.ratio),
      options.smaller_is_better ? "better" : "as much", times(proof.low), times(proof.high));
  switch (proof.judgement) {
    case fix::Judgement::helped:
      if (proof.cured() > 0)
        return fmt::format(
            "It helped, and stays: bytes were wrong in {} of {} transfers without it, and in none "
            "with it; {}",
            proof.cured(), proof.pairs.size(), measured);
      return "It helped, and stays: " + measured;
    case fix::Judgement::harmed:
      return "It harmed, and was undone: " + measured;
    case fix::Judgement::no_difference:
      return "It makes no difference, and was undone: " + measured;
    case fix::Judgement::undecided:
      return "Undecided, and undone (--pairs measures more): " + measured;
    case fix::Judgement::broke_integrity:
      return fmt::format("Bytes were wrong with the step{}: it was undone",
                         proof.cured() > 0 ? " as without it" : "");
    case fix::Judgement::could_not_measure:
      return "Nothing could be measured, and the step was undone: " + proof.why;
  }
  return measured;
}

ExitCode report(const fix::Proof& proof, const std::optional<fix::Entry>& kept,
                const Options& options) {
  if (options.json) {
    Json pairs = Json::array();
    for (const fix::Pair& pair : proof.pairs)
      pairs.push_back({{"without", figure_of(pair.without, options)},
                       {"with", figure_of(pair.with, options)},
                       {"wrong_without", pair.wrong_without}});
    Json json{{"schema", "slowpath.fix-proof.v1"},
              {"judgement", to_string(proof.judgement)},
              {"pairs", pairs},
              {"ratio", std::isinf(proof.ratio) ? Json() : Json(proof.ratio)},
              {"low", std::isinf(proof.low) ? Json() : Json(proof.low)},
              {"high", std::isinf(proof.high) ? Json() : Json(proof.high)},
              {"kept", kept.has_value()}};
    if (kept) json["id"] = kept->id;
    if (!proof.why.empty()) json["why"] = proof.why;
    return write_answer(json_document(json));
  }
  std::string text = sentence(proof, options) + "\n";
  if (kept) text += describe_untried(kept->turns);
  if (kept) text += describe_guard(*kept);
  if (kept) text += fmt::format("Undo: slowpath fix undo {}\n", kept->id);
  return write_answer(text);
}

Result<fix::Proof> prove(Switch& change, const fix::Journal& journal, fix::ProofState question,
                         const Options& options) {
  fix::ProofOptions proof = options.proof;
  proof.earlier = earlier_pairs(journal, question, options.anew);
  proof.keep = [&](const std::vector<fix::Pair>& pairs) {
    show_progress(pairs.back(), pairs.size(), options);
    question.pairs = pairs;
    if (const Result<void> kept = fix::write_proof(journal, question); !kept)
      complain(kept.error());
  };
  return fix::prove([&](bool on) { return change.turn(on); },
                    [&] { return measure(options.measure, options.smaller_is_better); }, proof);
}

ExitCode show_only(fix::Kernel& kernel, const fix::ReadyStep& step, const Options& options) {
  const Result<std::vector<fix::Turn>> turns = fix::turns_of(kernel, step);
  if (!turns) return complain(turns.error());
  return write_answer(fmt::format(
      "Would measure '{}' in up to {} pairs, with and without: {}\n{}Nothing was changed.\n",
      options.measure, options.proof.most_pairs, step.action, describe(*turns)));
}

ExitCode run(const Options& options) {
  const std::unique_ptr<fix::Kernel> kernel = fix::this_host();
  const Result<fix::ReadyStep> step = ready_step(options.step, *kernel);
  if (!step) return complain(step.error());
  if (options.dry_run) return show_only(*kernel, *step, options);
  Result<fix::Journal> journal = fix::Journal::open(options.journal);
  if (!journal) return complain(journal.error());
  note_stop_signals();
  if (const Result<void> cleared = clear_trials(*kernel, *journal, step->action); !cleared)
    return complain(cleared.error());
  if (const Result<void> turns = check_turns(*kernel, *step); !turns)
    return complain(turns.error());
  Switch change(*kernel, *journal, *step, options.confirm_within_s);
  const fix::ProofState question{
      step->action, options.measure, options.smaller_is_better, fix::boot_id(), {}};
  const Result<fix::Proof> proof = prove(change, *journal, question, options);
  if (!proof) return complain(proof.error());
  // What could not be measured now can be, later, and the pairs before still count.
  if (proof->judgement != fix::Judgement::could_not_measure) fix::forget_proof(*journal);
  if (proof->judgement == fix::Judgement::helped) {
    if (const Result<void> taken = change.keep(); !taken) return complain(taken.error());
  }
  const ExitCode code = report(*proof, change.entry(), options);
  if (const ExitCode stopped = exit_code_of_signal(); stopped != ExitCode::answered) return stopped;
  if (code == ExitCode::answered && proof->judgement == fix::Judgement::could_not_measure)
    return ExitCode::environment;
  return code;
}

Run declare(const CommandLine& line) {
  auto options = std::make_shared<Options>();
  declare_step(line, options->step);
  declare_journal(line, options->journal);
  line.add_option(
          "--measure", options->measure,
          "Command whose figure is to grow: the rate that iperf3 or 'slowpath test' prints, "
          "else the last number; exit code 1 beside a figure says that bytes were wrong")
      .required();
  line.add_option("--pairs", options->proof.most_pairs, "Pairs of measurements at most")
      .range(6, 1000)
      .capture_default_str();
  line.add_option("--least", options->proof.least_difference, "Smallest difference that counts")
      .range(0.001, 10.0)
      .capture_default_str();
  line.add_flag("--smaller-is-better", options->smaller_is_better, "The figure is a time");
  line.add_option("--confirm-within", options->confirm_within_s,
                  "Undo by itself after so many seconds unless confirmed, also if this program is "
                  "killed; as for 'fix apply'")
      .range(0, 86400);
  line.add_flag("--anew", options->anew,
                "Forget what was measured before a kill or a restart of the machine");
  line.add_flag("--json", options->json, "One JSON document");
  line.add_flag("--dry-run", options->dry_run, "Say what would be done, and do nothing");
  return [options] { return run(*options); };
}

}  // namespace

namespace fixes {
extern const Command prove;
const Command prove{.name = "prove",
                    .summary = "measure with and without a step, and keep it only if it helped",
                    .examples =
                        "  slowpath fix prove lso-not-segmented/1 --interface eth0 --measure "
                        "'iperf3 -J -c HOST -t 5'\n"
                        "  slowpath fix prove 'ethtool -K eth0 gro off' --measure ./time_it.sh "
                        "--smaller-is-better\n",
                    .declare = declare};
}  // namespace fixes
}  // namespace slowpath::cli
