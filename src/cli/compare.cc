// SPDX-License-Identifier: Apache-2.0
// `slowpath compare`: what happened to the same traffic between two or more capture points?
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/format.h"
#include "cli/answer_options.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/compared_places.h"
#include "cli/output.h"
#include "cli/pipeline.h"
#include "cli/placed_input.h"
#include "cli/signals.h"
#include "detect/synthesis.h"
#include "facts/severity.h"
#include "report/answer.h"
#include "report/compare_json.h"
#include "report/compare_text.h"

namespace slowpath::cli {
namespace {

/// As typed; empty where nothing was.
struct Options : AnswerOptions {
  std::vector<std::string> files, placed_files;
  std::string filter, memory = "1GiB";
  bool no_checksums = false;
};

void declare_options(const CommandLine& line, Options& options) {
  line.add_option("FILE", options.files,
                  "Captures of the same traffic, each taken at another point")
      .type_name("")
      .group("Input");
  line.add_option("--at", options.placed_files,
                  "A capture and where it was taken; files of one NAME follow each other")
      .one_value_each()
      .type_name("NAME=FILE")
      .group("Input");
  line.add_option("-f,--filter", options.filter, "Only packets that this tcpdump filter lets pass")
      .type_name("FILTER")
      .group("Selection");
  declare_answer_options(line, options,
                         {.schema = "comparison", .all = "Every connection and finding in full"});
  line.add_option("--memory", options.memory,
                  "Memory for connections (1GiB), and as much for what is compared")
      .type_name("SIZE")
      .group("Effort");
  line.add_flag("--no-checksums", options.no_checksums, "Do not verify checksums").group("Effort");
}

/// "server" for captures/server.pcapng.zst.
std::string short_name(const std::string& file) {
  std::string name = std::filesystem::path(file).filename().string();
  for (const std::string_view ending :
       {".zst", ".gz", ".xz", ".lz4", ".pcapng", ".pcap", ".cap", ".ntar"}) {
    if (name.ends_with(ending) && name.size() > ending.size())
      name.erase(name.size() - ending.size());
  }
  return name;
}

/// How long a beginning all names share, up to a dot, dash or underscore: "run1.server" and
/// "run1.client" share "run1.".
std::size_t common_beginning(const std::vector<std::string>& names) {
  std::string_view common = names.empty() ? std::string_view{} : std::string_view(names.front());
  for (const std::string& name : names) {
    const auto [end, _] = std::ranges::mismatch(common, name);
    common = common.substr(0, static_cast<std::size_t>(end - common.begin()));
  }
  const std::size_t mark = common.find_last_of("._-");
  return mark == std::string_view::npos ? 0 : mark + 1;
}

/// Points without a name are called by their files, in full where two are alike.
void name_points(std::vector<InputName>& inputs) {
  std::vector<std::string> names;
  for (const InputName& input : inputs) {
    if (input.place.empty()) names.push_back(short_name(input.file));
  }
  const std::size_t beginning = names.size() > 1 ? common_beginning(names) : 0;
  std::multiset<std::string> places;
  for (const InputName& input : inputs)
    places.insert(input.place.empty() ? short_name(input.file).substr(beginning) : input.place);
  for (InputName& input : inputs) {
    if (!input.place.empty()) continue;
    const std::string name = short_name(input.file).substr(beginning);
    input.place = places.count(name) == 1 && !name.empty() ? name : input.file;
  }
}

Result<std::vector<InputName>> inputs_of(const Options& options) {
  std::vector<InputName> inputs;
  for (const std::string& file : options.files) inputs.push_back({file, {}});
  for (const std::string& text : options.placed_files) {
    Result<InputName> input = parse_placed_input(text);
    if (!input) return std::unexpected(input.error());
    inputs.push_back(std::move(*input));
  }
  name_points(inputs);
  std::set<std::string> files;
  for (const InputName& input : inputs) {
    if (!files.insert(input.file).second) {
      return fail(ErrorKind::usage, fmt::format("cannot compare {} with itself", input.file), {},
                  "name captures of different points");
    }
  }
  constexpr std::size_t kMostPoints = 16;
  const std::size_t points = count_places(inputs);
  if (points < 2) {
    return fail(
        ErrorKind::usage,
        points == 0 ? "nothing to compare" : "cannot compare one point with nothing", {},
        "name two captures of the same traffic: slowpath compare A B, or --at NAME=FILE twice");
  }
  if (points > kMostPoints) {
    return fail(ErrorKind::usage, fmt::format("cannot compare {} points", points),
                fmt::format("at most {} are possible", kMostPoints));
  }
  return inputs;
}

Result<report::Answer> answer(const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  Result<std::vector<InputName>> inputs = inputs_of(options);
  if (!inputs) return std::unexpected(inputs.error());
  const Result<std::uint64_t> memory = parse_size(options.memory);
  if (!memory) return std::unexpected(memory.error());
  PipelineOptions pipeline;
  pipeline.inputs = std::move(*inputs);
  pipeline.filter = options.filter;
  pipeline.verify_checksums = !options.no_checksums;
  pipeline.memory_bytes = *memory;
  pipeline.show_progress = !options.quiet;
  pipeline.compare = true;
  Result<Looked> looked = look(pipeline);
  if (!looked) return std::unexpected(looked.error());
  if (looked->facts.comparisons.points.size() < 2 && !looked->unreadable.empty()) {
    return fail(ErrorKind::input, looked->unreadable.front().why, {},
                "without it there is nothing to compare");
  }
  for (const std::string& remark : looked->remarks) complain(remark);
  report::Answer answer;
  answer.facts = std::move(looked->facts);
  answer.unreadable = std::move(looked->unreadable);
  answer.diagnosis = detect::diagnose(answer.facts);
  answer.interrupted = stop_requested();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  answer.elapsed_s = elapsed.count();
  return answer;
}

std::string render(const report::Answer& answer, const Options& options) {
  if (options.json) return report::comparison_to_json(answer);
  report::TextOptions text;
  text.style = style_of(options);
  text.all = options.all;
  text.quiet = options.quiet;
  return report::comparison_to_text(answer, text);
}

ExitCode run(const Options& options) {
  note_stop_signals();
  const Result<report::Answer> answered = answer(options);
  if (!answered) {
    if (stop_requested()) return exit_code_of_signal();
    if (options.json) write_answer(report::comparison_error_to_json(answered.error().message()));
    return complain(answered.error());
  }
  for (const report::Unreadable& input : answered->unreadable) complain(input.why);
  return exit_code_of_answer(write_answer(render(*answered, options)),
                             has_failed(answered->diagnosis.findings, options.fail_on));
}

Run declare(const CommandLine& line) {
  auto options = std::make_shared<Options>();
  declare_options(line, *options);
  return [options] { return run(*options); };
}

}  // namespace

extern const Command compare;
const Command compare{
    .name = "compare",
    .summary = "say what happened to the same traffic between two capture points",
    .examples =
        "  slowpath compare sender.pcapng receiver.pcapng\n"
        "  slowpath compare --at server=a.pcap --at gateway=b.pcap --at client=c.pcap\n"
        "  slowpath compare --json a.pcap b.pcap\n",
    .declare = declare};

}  // namespace slowpath::cli
