// SPDX-License-Identifier: Apache-2.0
// `slowpath diagnose`: why was this transfer slow? Options, and the way from inputs to an answer.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/format.h"
#include "cli/answer_options.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/compared_places.h"
#include "cli/frames_output.h"
#include "cli/hosts.h"
#include "cli/memory_limit.h"
#include "cli/output.h"
#include "cli/pipeline.h"
#include "cli/placed_input.h"
#include "cli/selection.h"
#include "cli/signals.h"
#include "detect/screened.h"
#include "detect/synthesis.h"
#include "facts/severity.h"
#include "report/answer.h"
#include "report/json.h"
#include "report/text.h"

namespace slowpath::cli {
namespace {

/// As typed; empty where nothing was.
struct Options : AnswerOptions {
  std::vector<std::string> files, read_files, placed_files, hosts;
  std::string interface, duration, filter, from, to, connection;
  std::string memory;
  std::string frames;
  std::optional<std::size_t> most_connections;
  bool jsonl = false, explain = false;
  bool no_checksums = false, full = false;
  std::string screen_from = "64MiB";
  std::size_t threads = 0;
};

void declare_input(const CommandLine& line, Options& options) {
  line.add_option("FILE", options.files,
                  "Captures; those that follow each other in time are one rotated capture; - is "
                  "standard input")
      .type_name("")
      .group("Input");
  line.add_option("-r,--read", options.read_files, "A capture, as with tcpdump")
      .one_value_each()
      .type_name("FILE")
      .group("Input");
  line.add_option("--at", options.placed_files, "A capture and where it was taken")
      .one_value_each()
      .type_name("NAME=FILE")
      .group("Input");
  line.add_option(
          "--host", options.hosts,
          "What is known of a host: NAME is its address in the capture, 'client', 'server' "
          "or a name of --at; FILE or a directory holds what commands printed there ('live': "
          "this host)")
      .one_value_each()
      .type_name("NAME=FILE")
      .group("Input");
  line.add_option("-i,--interface", options.interface, "Capture live until Ctrl-C or --duration")
      .type_name("IFACE")
      .group("Input");
  line.add_option("--duration", options.duration, "How long to capture live: 30s, 5m")
      .type_name("TIME")
      .group("Input");
}

void declare_selection(const CommandLine& line, Options& options) {
  line.add_option("-f,--filter", options.filter, "Only packets that this tcpdump filter lets pass")
      .type_name("FILTER")
      .group("Selection");
  line.add_option("--from", options.from, "Start: seconds from the first packet, or UTC")
      .type_name("TIME")
      .group("Selection");
  line.add_option("--to", options.to, "End, likewise").type_name("TIME").group("Selection");
  line.add_option("--connection", options.connection,
                  "Only this one: its number, or ADDRESS:PORT-ADDRESS:PORT")
      .type_name("WHICH")
      .group("Selection");
}

void declare_format(const CommandLine& line, Options& options) {
  declare_answer_options(
      line, options,
      {.schema = "diagnosis", .all = "Every connection, finding and remedy in full"});
  line.add_flag("--jsonl", options.jsonl,
                "One JSON line for each connection, and the diagnosis last")
      .excludes(line.option("--json"))
      .group("Output");
}

void declare_content(const CommandLine& line, Options& options) {
  line.add_flag("--explain", options.explain, "Why each detector stayed silent").group("Output");
  line.add_option("--top", options.most_connections, "List at most so many connections")
      .type_name("N")
      .group("Output");
  line.add_option(
          "--frames", options.frames,
          "Also write a line for each TCP frame: our marks, Wireshark's, why they differ; - "
          "is standard output, instead of the answer")
      .type_name("FILE")
      .group("Output");
}

void declare_effort(const CommandLine& line, Options& options) {
  line.add_option("--memory", options.memory,
                  "Memory for connections (a quarter of the machine's); the oldest idle ones are "
                  "ended early. Half of it may keep a compressed or piped capture")
      .type_name("SIZE")
      .group("Effort");
  line.add_flag("--no-checksums", options.no_checksums, "Do not verify checksums").group("Effort");
  line.add_flag("--full", options.full,
                "Analyse every connection of a large capture, not only those that show something")
      .group("Effort");
  line.add_option(
          "--screen-from", options.screen_from,
          "Captures from this size on, decompressed, are screened first (64MiB); and any with "
          "more than 16384 connections")
      .type_name("SIZE")
      .group("Effort");
  line.add_option("--threads", options.threads,
                  "Threads that read large files (processors, at most 4)")
      .range(1, 64)
      .type_name("N")
      .group("Effort");
}

Result<std::vector<InputName>> inputs_of(const Options& options) {
  std::vector<InputName> inputs;
  inputs.reserve(options.files.size() + options.read_files.size() + options.placed_files.size());
  for (const std::string& file : options.files) inputs.push_back({file, {}});
  for (const std::string& file : options.read_files) inputs.push_back({file, {}});
  for (const std::string& text : options.placed_files) {
    Result<InputName> input = parse_placed_input(text);
    if (!input) return std::unexpected(input.error());
    inputs.push_back(std::move(*input));
  }
  constexpr std::size_t kMostInputs = 65535;  // frame references have 16 bits for it
  if (inputs.size() > kMostInputs) {
    return fail(ErrorKind::usage, fmt::format("cannot read {} files at once", inputs.size()),
                fmt::format("at most {} are possible", kMostInputs), "name fewer files");
  }
  if (inputs.empty() == options.interface.empty()) {
    return fail(
        ErrorKind::usage,
        inputs.empty() ? "nothing to look at" : "cannot look at both files and an interface", {},
        "name captures, - for standard input, or -i IFACE; see 'slowpath diagnose --help'");
  }
  return inputs;
}

Result<std::optional<TimeBound>> parse_bound(const std::string& text) {
  if (text.empty()) return std::nullopt;
  Result<TimeBound> bound = parse_time_bound(text);
  if (!bound) return std::unexpected(bound.error());
  return *bound;
}

Result<std::optional<LiveInput>> live_input_of(const Options& options) {
  if (options.interface.empty()) return std::nullopt;
  LiveInput live{.interface = options.interface, .duration = std::nullopt};
  if (!options.duration.empty()) {
    const Result<Duration> duration = parse_duration(options.duration);
    if (!duration) return std::unexpected(duration.error());
    live.duration = *duration;
  }
  return live;
}

Result<PipelineOptions> pipeline_options_of(const Options& options) {
  Result<std::vector<InputName>> inputs = inputs_of(options);
  if (!inputs) return std::unexpected(inputs.error());
  Result<std::optional<LiveInput>> live = live_input_of(options);
  if (!live) return std::unexpected(live.error());
  const Result<std::optional<TimeBound>> from = parse_bound(options.from);
  if (!from) return std::unexpected(from.error());
  const Result<std::optional<TimeBound>> to = parse_bound(options.to);
  if (!to) return std::unexpected(to.error());
  const Result<std::uint64_t> memory =
      options.memory.empty() ? default_memory_bytes() : parse_size(options.memory);
  if (!memory) return std::unexpected(memory.error());
  const Result<std::uint64_t> screen_from = parse_size(options.screen_from);
  if (!screen_from) return std::unexpected(screen_from.error());
  const bool compare = count_places(*inputs) > 1;
  // Each of these shows every connection.
  const bool full = options.full || options.all || options.jsonl || options.explain;
  return PipelineOptions{.inputs = std::move(*inputs),
                         .live = std::move(*live),
                         .filter = options.filter,
                         .window = {*from, *to},
                         .verify_checksums = !options.no_checksums,
                         .memory_bytes = *memory,
                         .show_progress = !options.quiet,
                         .frames = nullptr,
                         .compare = compare,
                         .screen_from_bytes = *screen_from,
                         .full = full,
                         .threads = options.threads,
                         .largest = std::max<std::size_t>(1, options.most_connections.value_or(10)),
                         .wanted = std::nullopt};
}

/// Looks, leaves what was asked for, and judges it.
Result<report::Answer> answer(const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  std::optional<ConnectionChoice> choice;
  if (!options.connection.empty()) {
    Result<ConnectionChoice> parsed = parse_connection(options.connection);
    if (!parsed) return std::unexpected(parsed.error());
    choice = *parsed;
  }
  Result<PipelineOptions> pipeline = pipeline_options_of(options);
  if (!pipeline) return std::unexpected(pipeline.error());
  const Result<std::vector<HostInput>> named = parse_hosts(options.hosts);
  if (!named) return std::unexpected(named.error());
  Result<std::vector<MachineFacts>> hosts = read_hosts(*named);
  if (!hosts) return std::unexpected(hosts.error());
  pipeline->wanted = choice;
  Result<std::unique_ptr<FramesOutput>> frames;
  if (!options.frames.empty()) {
    frames = FramesOutput::create(options.frames);
    if (!frames) return std::unexpected(frames.error());
    pipeline->frames = frames->get();
  }
  Result<Looked> looked = look(*pipeline);
  if (!looked) return std::unexpected(looked.error());
  if (pipeline->frames != nullptr) {
    if (const Result<void> written = pipeline->frames->finish(); !written) {
      return std::unexpected(written.error());
    }
  }
  if (choice && !keep_connection(looked->facts, *choice)) {
    return fail(ErrorKind::usage,
                fmt::format("cannot find the connection '{}'", options.connection),
                "no packet of it was captured", "'slowpath diagnose --all' lists those that were");
  }
  for (const std::string& remark : looked->remarks) complain(remark);
  for (const std::string& remark : link_hosts(std::move(*hosts), looked->facts)) complain(remark);
  report::Answer answer;
  answer.facts = std::move(looked->facts);
  answer.screening = looked->screening;
  answer.unreadable = std::move(looked->unreadable);
  answer.diagnosis = detect::diagnose(answer.facts, options.explain ? &answer.silences : nullptr);
  detect::weigh_screening(answer.facts, answer.screening, answer.diagnosis);
  answer.interrupted = stop_requested();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  answer.elapsed_s = elapsed.count();
  return answer;
}

std::string render(const report::Answer& answer, const Options& options) {
  if (options.json || options.jsonl) {
    report::JsonOptions json;
    json.explain = options.explain;
    // A stream of lines has no end that it must fit in; a document has.
    if (options.jsonl || options.all) json.most_connections = answer.facts.connections.size();
    if (options.most_connections) json.most_connections = *options.most_connections;
    return options.jsonl ? report::to_jsonl(answer, json) : report::to_json(answer, json);
  }
  report::TextOptions text;
  text.style = style_of(options);
  text.all = options.all;
  text.explain = options.explain;
  text.quiet = options.quiet;
  if (options.most_connections) text.most_connections = *options.most_connections;
  return report::to_text(answer, text);
}

ExitCode run(const Options& options) {
  note_stop_signals();
  const Result<report::Answer> answered = answer(options);
  if (!answered) {
    // Somebody lost patience with a silent pipe: that is no error of the input.
    if (stop_requested()) return exit_code_of_signal();
    if (options.json || options.jsonl)
      write_answer(report::error_to_json(answered.error().message()));
    return complain(answered.error());
  }
  for (const report::Unreadable& input : answered->unreadable) complain(input.why);
  ExitCode written = ExitCode::answered;
  if (options.frames != "-") {
    written = write_answer(render(*answered, options));
  }
  return exit_code_of_answer(written, has_failed(answered->diagnosis.findings, options.fail_on));
}

Run declare(const CommandLine& line) {
  auto options = std::make_shared<Options>();
  declare_input(line, *options);
  declare_selection(line, *options);
  declare_format(line, *options);
  declare_content(line, *options);
  declare_effort(line, *options);
  return [options] { return run(*options); };
}

}  // namespace

extern const Command diagnose;
const Command diagnose{
    .name = "diagnose",
    .summary = "say why the transfers in a capture were slow, stalled or corrupted",
    .examples =
        "  slowpath diagnose slow.pcapng\n"
        "  slowpath diagnose --connection 10.0.0.1:47876-10.0.0.2:9000 slow.pcapng\n"
        "  slowpath diagnose --host 10.0.0.1=collected.txt slow.pcapng\n"
        "  slowpath diagnose --from 30s --to 90s trace.pcap.00 trace.pcap.01\n"
        "  ssh host tcpdump -i eth0 -s 128 -U -w - tcp | slowpath diagnose -\n"
        "  slowpath diagnose -i eth0 -f 'port 443' --duration 30s\n"
        "  slowpath diagnose --json --fail-on fault slow.pcapng\n",
    .declare = declare};

}  // namespace slowpath::cli
