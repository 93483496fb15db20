// SPDX-License-Identifier: Apache-2.0
// `slowpath lab record`: captures and truth of one run, and nothing else.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/format.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/lab/conduct.h"
#include "cli/lab/scenarios.h"
#include "cli/lab/workspace.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/status_line.h"

namespace slowpath::cli {
namespace {

struct Options {
  std::string name, out;
  std::string variant = "broken";
  std::vector<std::string> settings;
  std::uint64_t seed = 1;
  std::uint32_t snap_len = 0;
  bool draw = false;
};

lab::Variant variant_of(const std::string& word) {
  if (word == "healthy") return lab::Variant::healthy;
  return word == "fixed" ? lab::Variant::fixed : lab::Variant::broken;
}

/// The first fix is the right one.
Result<const lab::Fix*> fix_of(const lab::Scenario& scenario, lab::Variant variant) {
  if (variant != lab::Variant::fixed) return nullptr;
  if (!scenario.fixes.empty()) return &scenario.fixes.front();
  return fail(ErrorKind::usage, fmt::format("cannot record a fixed {}", scenario.name),
              "the scenario has no fix", "--variant healthy is the same world without the fault");
}

ExitCode finish(const lab::RunResult& result, const std::string& directory) {
  if (result.stopped) return exit_code_of_signal();
  for (const std::string& why : result.void_because) {
    complain(fmt::format("this run proves nothing: {}", why));
  }
  std::string text;
  for (const lab::CaptureFile& capture : result.captures) {
    text +=
        fmt::format("{}  {} frames\n", path_of(capture, directory), format_count(capture.frames));
  }
  return write_answer(text + directory + "/truth.json\n");
}

ExitCode run(const Options& options) {
  const Result<ScenarioSource> source = find_scenario(options.name);
  if (!source) return complain(source.error());
  const Result<Overrides> overrides = parse_overrides(options.settings);
  if (!overrides) return complain(overrides.error());
  const Result<ReadScenario> scenario =
      read(*source, *overrides, {.wanted = options.draw, .seed = options.seed});
  if (!scenario) return complain(scenario.error());
  const lab::Variant variant = variant_of(options.variant);
  const Result<const lab::Fix*> fix = fix_of(scenario->scenario, variant);
  if (!fix) return complain(fix.error());
  const Result<lab::Privileges> privileges = get_ready();
  if (!privileges) return complain(privileges.error());
  const Result<Workspace> workspace = Workspace::make(options.out);
  if (!workspace) return complain(workspace.error());
  StatusLine status(true);
  const Conditions conditions{.privileges = &*privileges,
                              .seed = options.seed,
                              .directory = options.out,
                              .snap_len = options.snap_len,
                              .progress = [&](double seconds) {
                                status.show(fmt::format("recording: {:.0f} s", seconds));
                              }};
  const Result<lab::RunResult> result = conduct(*scenario, variant, *fix, conditions);
  status.clear();
  if (!result) return complain(result.error());
  return finish(*result, options.out);
}

Run declare(const CommandLine& line) {
  auto options = std::make_shared<Options>();
  line.add_option("SCENARIO", options->name,
                  "One of 'slowpath lab list', a story such as S1, or a file FILE.toml")
      .required();
  line.add_option("--out", options->out, "Where captures and truth go; made if need be")
      .type_name("DIR")
      .required();
  line.add_option("--variant", options->variant, "broken, healthy or fixed")
      .one_of({"broken", "healthy", "fixed"})
      .type_name("WHICH");
  line.add_option("--set", options->settings, "A parameter of the scenario: rtt=80ms")
      .one_value_each()
      .type_name("NAME=VALUE");
  line.add_option("--seed", options->seed, "Of everything random (1)").type_name("N");
  line.add_option("-s,--snap", options->snap_len,
                  "Keep so many bytes of each frame, as with tcpdump; the scenario's own without")
      .range(64U, 262144U)
      .type_name("BYTES");
  line.add_flag("--draw", options->draw, "Draw the parameters from the seed, as the matrix does");
  return [options] { return run(*options); };
}

}  // namespace

namespace labs {

extern const Command record;
const Command record{.name = "record",
                     .summary = "only the captures of one run, and the truth beside them",
                     .examples =
                         "  slowpath lab record broken-lso --out captures\n"
                         "  slowpath lab record broken-lso --variant healthy --out twin\n",
                     .declare = declare};

}  // namespace labs
}  // namespace slowpath::cli
