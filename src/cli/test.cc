// SPDX-License-Identifier: Apache-2.0
// `slowpath test`: what the path to another host can do, what limits it, and whether it delivers
// what was sent.
#include <chrono>
#include <memory>
#include <string>

#include "cli/answer_options.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "cli/serve/options.h"
#include "cli/signals.h"
#include "cli/test/options.h"
#include "cli/test/saved.h"
#include "cli/test/throughput.h"
#include "detect/path_test.h"
#include "detect/throughput_test.h"
#include "report/test_answer.h"

namespace slowpath::cli {
namespace {

report::TextOptions text_options(const testing::Options& options) {
  report::TextOptions text;
  text.style = {.width = static_cast<std::size_t>(output_width()),
                .color = is_coloured(options.color),
                .utf8 = locale_is_utf8()};
  text.all = options.all;
  return text;
}

/// What was measured is shown, whatever becomes of the file that it is kept in.
ExitCode answer(const testing::Options& options, const report::TestAnswer& found) {
  const std::string document = report::test_to_json(found);
  const ExitCode written =
      write_answer(options.json ? document : report::test_to_text(found, text_options(options)));
  if (!options.save.empty()) {
    if (auto saved = testing::save(options.save, document); !saved) return complain(saved.error());
  }
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
          .fail_on = options.fail_on,
          .save = options.save,
          .against = options.against};
}

/// Nothing was asked for but the whole: then the path is looked at, too.
bool is_plain(const testing::Options& options) {
  return !options.path.no_path && options.sweep.empty() && !options.forward && !options.reverse &&
         !options.both && !options.bytes && !options.blocks && !options.time &&
         options.against.empty() && options.bind_host.empty();
}

/// The document of --against; empty without. Looked at before the test: it may take a while.
Result<std::string> read_against(const std::string& file) {
  if (file.empty()) return {};
  auto document = testing::read_whole(file);
  if (!document) return document;
  if (auto usable = report::check_earlier(*document); !usable) {
    Error error = usable.error();
    error.attempt = "cannot compare with " + file;
    return std::unexpected(std::move(error));
  }
  return document;
}

void look_at_path(const PathTestTarget& target, StatusLine& status, report::TestAnswer& found) {
  auto path = measure_beside(target, status);
  status.clear();
  found.interrupted = stop_requested().load();
  if (!path) {
    found.path_unable = path.error().message();
    return;
  }
  found.path = *std::move(path);
  detect::add_path_findings(*found.path, found.diagnosis);
}

/// Opens, measures, judges and answers.
ExitCode test_throughput(const testing::Options& options, const probe::TransferRequest& request,
                         const PathTestTarget& target, const std::string& earlier) {
  using namespace std::chrono_literals;
  note_stop_signals();
  auto session = probe::Session::open(target.target, target.secret, 5s);
  if (!session) return complain(session.error());
  StatusLine status{!options.quiet};
  auto facts = testing::measure_throughput(*session, options, request, status);
  status.clear();
  if (!facts) return complain(facts.error());
  report::TestAnswer found{.facts = *std::move(facts),
                           .diagnosis = {},
                           .against = options.against,
                           .changes = {},
                           .interrupted = stop_requested().load()};
  if (found.facts.runs.empty()) return exit_code_of_signal();
  found.diagnosis = detect::diagnose_throughput(found.facts);
  if (is_plain(options) && !found.interrupted) look_at_path(target, status, found);
  if (earlier.empty()) return answer(options, found);
  auto changes = report::compare_with(found.facts, earlier);
  if (changes) found.changes = *std::move(changes);
  const ExitCode answered = answer(options, found);
  return changes ? answered : complain(changes.error());
}

ExitCode run(const testing::Options& options) {
  const auto target = testing::target_of(options);
  if (!target) return complain(target.error());
  const auto request = testing::request_of(options);
  if (!request) return complain(request.error());
  const auto token = serving::find_token(options.token, options.token_file);
  if (!token) return complain(token.error());
  if (auto writable = testing::check_writable(options.save); !writable)
    return complain(writable.error());
  const PathTestTarget path_target = path_target_of(options, *target, *token);
  if (asks_for_path(options.path)) return run_path_tests(options.path, path_target);
  const auto earlier = read_against(options.against);
  if (!earlier) return complain(earlier.error());
  return test_throughput(options, *request, path_target, *earlier);
}

Run declare(const CommandLine& line) {
  auto options = std::make_shared<testing::Options>();
  testing::declare(line, *options);
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
