// SPDX-License-Identifier: Apache-2.0
// `slowpath test`: what the path to another host can do, what limits it, and whether it delivers
// what was sent.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/answer_options.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/serve/options.h"
#include "cli/signals.h"
#include "cli/test/options.h"
#include "cli/test/throughput.h"
#include "detect/path_test.h"
#include "detect/throughput_test.h"
#include "report/test_answer.h"

namespace slowpath::cli {
namespace {

Result<std::string> read_whole(const std::string& file) {
  std::ifstream stream{file, std::ios::binary};
  if (!stream) return fail(ErrorKind::input, "cannot read " + file, std::strerror(errno));
  return std::string{std::istreambuf_iterator<char>{stream}, {}};
}

Result<void> save(const std::string& file, const std::string& document) {
  std::ofstream stream{file, std::ios::binary};
  stream << document << std::flush;
  if (stream) return {};
  return fail(ErrorKind::environment, "cannot write " + file, std::strerror(errno));
}

report::TextOptions text_options(const testing::Options& options) {
  report::TextOptions text;
  text.style = {.width = static_cast<std::size_t>(output_width()),
                .color = is_coloured(options.color),
                .utf8 = locale_is_utf8()};
  text.all = options.all;
  return text;
}

ExitCode answer(const testing::Options& options, const report::TestAnswer& found) {
  const std::string document = report::test_to_json(found);
  if (!options.save.empty()) {
    if (auto saved = save(options.save, document); !saved) return complain(saved.error());
  }
  const ExitCode written =
      write_answer(options.json ? document : report::test_to_text(found, text_options(options)));
  if (written != ExitCode::answered) return written;
  if (found.interrupted) return exit_code_of_signal();
  return has_failed(found.diagnosis.findings, options.fail_on) ? ExitCode::found
                                                               : ExitCode::answered;
}

PathTestTarget path_target_of(const testing::Options& options, const probe::Target& target,
                              const std::string& token) {
  return {.target = target,
          .secret = token,
          .json = options.json,
          .all = options.all,
          .quiet = options.quiet,
          .color = options.color,
          .fail_on = options.fail_on};
}

/// Nothing was asked for but the whole: then the path is looked at, too.
bool is_plain(const testing::Options& options) {
  return !options.path.no_path && options.sweep.empty() && !options.forward && !options.reverse &&
         !options.both && !options.bytes && !options.blocks && !options.time &&
         options.against.empty();
}

ExitCode run(const testing::Options& options) {
  using namespace std::chrono_literals;
  const auto target = testing::target_of(options);
  if (!target) return complain(target.error());
  const auto request = testing::request_of(options);
  if (!request) return complain(request.error());
  const auto token = serving::find_token(options.token, options.token_file);
  if (!token) return complain(token.error());
  if (asks_for_path(options.path)) {
    return run_path_tests(options.path, path_target_of(options, *target, *token));
  }
  Result<std::string> earlier;
  if (!options.against.empty()) earlier = read_whole(options.against);
  if (!earlier) return complain(earlier.error());
  note_stop_signals();
  auto session = probe::Session::open(*target, *token, 5s);
  if (!session) return complain(session.error());
  StatusLine status{!options.quiet};
  auto facts = testing::measure_throughput(*session, options, *request, status);
  status.clear();
  if (!facts) return complain(facts.error());
  report::TestAnswer found{.facts = *std::move(facts),
                           .diagnosis = {},
                           .against = options.against,
                           .changes = {},
                           .interrupted = stop_requested().load()};
  if (found.facts.runs.empty()) return exit_code_of_signal();
  found.diagnosis = detect::diagnose_throughput(found.facts);
  if (is_plain(options) && !found.interrupted) {
    found.path = measure_beside(path_target_of(options, *target, *token), status);
    status.clear();
    found.interrupted = stop_requested().load();
    if (found.path) detect::add_path_findings(*found.path, found.diagnosis);
  }
  if (!options.against.empty()) {
    auto changes = report::compare_with(found.facts, *earlier);
    if (!changes) return complain(changes.error());
    found.changes = *std::move(changes);
  }
  return answer(options, found);
}

Run declare(CLI::App& app) {
  auto options = std::make_shared<testing::Options>();
  testing::declare(app, *options);
  return [options] { return run(*options); };
}

}  // namespace

extern const Command test_command;
const Command test_command{
    .name = "test",
    .summary = "measure the path to a host where slowpath serve runs, and prove every byte",
    .examples =
        "  slowpath test 10.0.0.2                     both ways, then both at once\n"
        "  slowpath test 10.0.0.2 -R -P 4 -t 10       four streams from the server\n"
        "  slowpath test 10.0.0.2 --sweep window      what window does the path need?\n"
        "  slowpath test 10.0.0.2 --save before.json\n"
        "  slowpath test 10.0.0.2 --against before.json\n"
        "  slowpath test 10.0.0.2 --mtu               which sizes pass; any host will do\n"
        "  slowpath test 10.0.0.2 --idle 10m          when is a silent connection forgotten?\n"
        "  slowpath test --iperf3 --help              with a host that runs iperf3 instead\n",
    .declare = declare};

}  // namespace slowpath::cli
