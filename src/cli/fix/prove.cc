// SPDX-License-Identifier: Apache-2.0
// `slowpath fix prove`: measures with the step and without, in turns, and keeps it only if it
// helped.
#include "fix/prove.h"

#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include <array>
#include <cmath>
#include <memory>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/fix/step.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "fix/journal.h"

namespace slowpath::cli {
namespace {

using Json = nlohmann::ordered_json;

// A measuring command says with it that it ran and that bytes were wrong (slowpath(1)).
constexpr int kIntegrityBroken = 1;
constexpr std::size_t kMostOutput = std::size_t{4} << 20;

struct Options {
  StepOptions step;
  std::string journal, measure;
  fix::ProofOptions proof;
  bool smaller_is_better = false, json = false, dry_run = false;
};

fix::Measured measure(const std::string& command, bool smaller_is_better) {
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr)
    return {.value = {},
            .integrity_broken = false,
            .why_not = "the measuring command cannot be started"};
  std::string output;
  std::array<char, 4096> part{};
  while (const std::size_t n = fread(part.data(), 1, part.size(), pipe)) {
    if (output.size() < kMostOutput) output.append(part.data(), n);
  }
  const int status = pclose(pipe);
  if (stop_requested()) return {.value = {}, .integrity_broken = false, .why_not = "interrupted"};
  if (WIFEXITED(status) && WEXITSTATUS(status) == kIntegrityBroken)
    return {.value = {}, .integrity_broken = true, .why_not = "the measuring command ended with 1"};
  if (status != 0)
    return {
        .value = {},
        .integrity_broken = false,
        .why_not = fmt::format("the measuring command ended with {}",
                               WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status))};
  const std::optional<double> figure = fix::figure_in(output);
  if (!figure || *figure <= 0)
    return {.value = {},
            .integrity_broken = false,
            .why_not = "the measuring command printed no figure"};
  return {
      .value = smaller_is_better ? 1 / *figure : *figure, .integrity_broken = false, .why_not = {}};
}

/// Takes a step and takes it back, an entry of the journal each time.
class Switch {
 public:
  Switch(fix::Kernel& kernel, fix::Journal& journal, const fix::ReadyStep& step)
      : kernel_(kernel), journal_(journal), step_(step) {}

  Result<void> turn(bool on) {
    if (on == entry_.has_value()) return {};
    if (on) {
      Result<fix::Entry> entry = fix::apply(kernel_, journal_, step_, time(nullptr));
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
  [[nodiscard]] const std::optional<fix::Entry>& entry() const { return entry_; }

 private:
  fix::Kernel& kernel_;
  fix::Journal& journal_;
  const fix::ReadyStep& step_;
  std::optional<fix::Entry> entry_;
};

std::string sentence(const fix::Proof& proof, const Options& options) {
  const std::string measured = fmt::format(
      "{} pairs; with the step the figure is {:.3g} times what it is without (95 % interval {:.3g} "
      "to {})",
      proof.pairs.size(), proof.ratio, proof.low,
      std::isinf(proof.high) ? "unbounded" : fmt::format("{:.3g}", proof.high));
  switch (proof.judgement) {
    case fix::Judgement::helped:
      return "It helped, and stays: " + measured;
    case fix::Judgement::harmed:
      return "It harmed, and was undone: " + measured;
    case fix::Judgement::no_difference:
      return "It makes no difference, and was undone: " + measured;
    case fix::Judgement::undecided:
      return fmt::format("Undecided after {} pairs, and undone: {}", options.proof.most_pairs,
                         measured);
    case fix::Judgement::broke_integrity:
      return "Bytes were wrong with the step: it was undone";
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
      pairs.push_back({{"without", pair.without}, {"with", pair.with}});
    Json json{{"schema", "slowpath.fix-proof.v1"},
              {"judgement", to_string(proof.judgement)},
              {"pairs", pairs},
              {"ratio", proof.ratio},
              {"low", proof.low},
              {"high", std::isinf(proof.high) ? Json() : Json(proof.high)},
              {"kept", kept.has_value()}};
    if (kept) json["id"] = kept->id;
    return write_answer(json.dump(2) + "\n");
  }
  std::string text = sentence(proof, options) + "\n";
  if (kept) text += fmt::format("Undo: slowpath fix undo {}\n", kept->id);
  return write_answer(text);
}

ExitCode run(const Options& options) {
  const std::unique_ptr<fix::Kernel> kernel = fix::this_host();
  const Result<fix::ReadyStep> step = ready_step(options.step, *kernel);
  if (!step) return complain(step.error());
  if (options.dry_run)
    return write_answer(
        fmt::format("Would measure '{}' with and without: {}\n", options.measure, step->action));
  Result<fix::Journal> journal = fix::Journal::open(options.journal);
  if (!journal) return complain(journal.error());
  note_stop_signals();
  Switch change(*kernel, *journal, *step);
  const auto measured = [&] { return measure(options.measure, options.smaller_is_better); };
  const Result<fix::Proof> proof =
      fix::prove([&](bool on) { return change.turn(on); }, measured, options.proof);
  if (!proof) return complain(proof.error());
  if (proof->judgement == fix::Judgement::helped) {
    if (const Result<void> taken = change.turn(true); !taken) return complain(taken.error());
  }
  const ExitCode code = report(*proof, change.entry(), options);
  if (code == ExitCode::answered && proof->judgement == fix::Judgement::could_not_measure)
    return ExitCode::environment;
  return code;
}

Run declare(CLI::App& app) {
  auto options = std::make_shared<Options>();
  declare_step(app, options->step);
  declare_journal(app, options->journal);
  app.add_option("--measure", options->measure,
                 "Command whose figure is to grow: the rate of 'iperf3 -J', or the last number "
                 "that it prints; exit code 1 "
                 "says that bytes were wrong")
      ->required();
  app.add_option("--pairs", options->proof.most_pairs, "Pairs of measurements at most")
      ->check(CLI::Range(6, 1000))
      ->capture_default_str();
  app.add_option("--least", options->proof.least_difference, "Smallest difference that counts")
      ->check(CLI::Range(0.001, 10.0))
      ->capture_default_str();
  app.add_flag("--smaller-is-better", options->smaller_is_better, "The figure is a time");
  app.add_flag("--json", options->json, "One JSON document");
  app.add_flag("--dry-run", options->dry_run, "Say what would be done, and do nothing");
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
