// SPDX-License-Identifier: Apache-2.0
// `slowpath fetch`: is every byte of a download as it was, each time? Options, and the way from a
// URL to an answer.
#include "probe/fetch.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/format.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/fetch/options.h"
#include "cli/fetch/packets.h"
#include "cli/output.h"
#include "cli/placed_input.h"
#include "cli/signals.h"
#include "cli/status_line.h"
#include "detect/fetch_verdict.h"
#include "probe/digest.h"
#include "report/fetch_json.h"
#include "report/fetch_text.h"

namespace slowpath::cli {
namespace {

using detect::FetchOutcome;
using detect::FetchVerdict;

std::string progress_text(const probe::FetchProgress& progress) {
  std::string text =
      fmt::format("{} {} of {}: {}", progress.is_upload ? "upload" : "copy", progress.round,
                  progress.rounds, format_bytes(static_cast<double>(progress.bytes)));
  if (progress.total_bytes > 0) {
    text += fmt::format(
        " of {} ({:.0f} %)", format_bytes(static_cast<double>(progress.total_bytes)),
        100 * static_cast<double>(progress.bytes) / static_cast<double>(progress.total_bytes));
  }
  if (progress.elapsed_s > 0.5) {
    text += ", " + format_rate(static_cast<double>(progress.bytes) * 8 / progress.elapsed_s);
  }
  return text;
}

/// Fetches, with the packets where they are wanted.
Result<FetchFacts> fetch_with_packets(const FetchChoices& options, probe::FetchOptions& fetch) {
  StatusLine status(!options.quiet);
  fetch.progress = [&status](const probe::FetchProgress& progress) {
    status.show(progress_text(progress));
  };
  std::unique_ptr<FetchCapture> capture;
  if (!options.capture_file.empty()) {
    auto started = FetchCapture::start(options.url, options.interface, options.capture_file);
    if (!started) return std::unexpected(started.error());
    capture = std::move(*started);
  }
  Result<FetchFacts> facts = probe::fetch(fetch);
  if (!capture) return facts;
  if (const Result<void> stopped = capture->stop(); !stopped) {
    return std::unexpected(stopped.error());
  }
  if (facts) look_at_packets(*facts, options.capture_file);
  return facts;
}

std::string render(const FetchFacts& facts, const FetchVerdict& verdict,
                   const FetchChoices& options) {
  if (options.json) return report::fetch_to_json(facts, verdict);
  report::FetchTextOptions text;
  text.style = style_of(options);
  text.all = options.all;
  text.quiet = options.quiet;
  return report::fetch_to_text(facts, verdict, text);
}

bool is_sound(FetchOutcome outcome) {
  return outcome == FetchOutcome::intact || outcome == FetchOutcome::consistent;
}

ExitCode exit_code_of(const FetchVerdict& verdict, const std::string& fail_on) {
  const bool is_fault = verdict.outcome == FetchOutcome::corrupted;
  if (!fail_on.empty() && is_fault) return ExitCode::found;
  if (verdict.outcome == FetchOutcome::failed || verdict.outcome == FetchOutcome::truncated) {
    return ExitCode::network;
  }
  return fail_on == "suspect" && !is_sound(verdict.outcome) ? ExitCode::found : ExitCode::answered;
}

ExitCode refuse(const Error& error, const FetchChoices& options) {
  if (options.json) write_answer(report::fetch_error_to_json(error.message()));
  return complain(error);
}

ExitCode run(const FetchChoices& options) {
  note_stop_signals();
  Result<probe::FetchOptions> fetch = fetch_options_of(options);
  if (!fetch) return refuse(fetch.error(), options);
  const Result<FetchFacts> facts = fetch_with_packets(options, *fetch);
  if (!facts) return refuse(facts.error(), options);
  const FetchVerdict verdict = detect::judge_fetch(*facts);
  const ExitCode written = write_answer(render(*facts, verdict, options));
  if (written != ExitCode::answered) return written;
  if (const ExitCode stopped = exit_code_of_signal(); stopped != ExitCode::answered) return stopped;
  return exit_code_of(verdict, options.fail_on);
}

Run declare(const CommandLine& line) {
  auto options = std::make_shared<FetchChoices>();
  declare_fetch(line, *options);
  return [options] { return run(*options); };
}

}  // namespace

extern const Command fetch_command;
const Command fetch_command{
    .name = "fetch",
    .summary = "download repeatedly and prove every byte; locate what was changed",
    .examples =
        "  slowpath fetch http://server/image.iso\n"
        "  slowpath fetch --expect sha256:9f86d08... --repeat 5 http://server/image.iso\n"
        "  slowpath fetch --expect-file image.iso --capture fetch.pcapng http://server/image.iso\n"
        "  slowpath fetch --upload image.iso http://server/inbox/image.iso\n",
    .declare = declare};

}  // namespace slowpath::cli
