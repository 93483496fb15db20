// SPDX-License-Identifier: Apache-2.0
// `slowpath test --iperf3 HOST`: a test with a server that runs iperf3, with iperf3's letters.
#include "probe/iperf3/client.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "base/format.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "report/iperf3_json.h"
#include "report/iperf3_text.h"

namespace slowpath::cli {
namespace {

namespace iperf3 = probe::iperf3;

/// As typed; empty where nothing was.
struct Options {
  std::string host, bytes, blocks, block_bytes, rate, window, pacing, congestion, bind_host;
  std::string title, extra_data;
  std::uint16_t port = iperf3::kPort;
  std::uint32_t streams = 1, mss = 0, connect_timeout_ms = 10'000, type_of_service = 0;
  double seconds = 10, omit_s = 0, interval_s = 1;
  bool iperf3 = false, udp = false, reverse = false, bidirectional = false, json = false;
  bool no_delay = false, zero_copy = false, dont_fragment = false, wide_counters = false;
  bool get_server_output = false, ipv4 = false, ipv6 = false, quiet = false;
};

void declare_amount(CLI::App& app, Options& options) {
  CLI::Option* time = app.add_option("-t,--time", options.seconds, "Seconds to test for (10)");
  time->check(CLI::Range(0.1, 86400.0))->type_name("S")->group("How long");
  CLI::Option* bytes =
      app.add_option("-n,--bytes", options.bytes, "Instead, bytes to move: 100M")->excludes(time);
  bytes->type_name("SIZE")->group("How long");
  app.add_option("-k,--blockcount", options.blocks, "Instead, blocks to move")
      ->excludes(time)
      ->excludes(bytes)
      ->type_name("N")
      ->group("How long");
  app.add_option("-O,--omit", options.omit_s, "Seconds at the beginning that do not count")
      ->check(CLI::Range(0.0, 60.0))
      ->type_name("S")
      ->group("How long");
  app.add_option("-i,--interval", options.interval_s, "Seconds between reports (1); 0 is none")
      ->check(CLI::Range(0.0, 60.0))
      ->type_name("S")
      ->group("How long");
}

void declare_traffic(CLI::App& app, Options& options) {
  app.add_flag("-u,--udp", options.udp, "UDP, at 1 Mbit/s if -b says nothing else")
      ->group("Traffic");
  CLI::Option* reverse = app.add_flag("-R,--reverse", options.reverse, "The server sends");
  reverse->group("Traffic");
  app.add_flag("--bidir", options.bidirectional, "Both send")->excludes(reverse)->group("Traffic");
  app.add_option("-P,--parallel", options.streams, "Streams at once (1)")
      ->check(CLI::Range(1U, iperf3::kMostStreams))
      ->type_name("N")
      ->group("Traffic");
  app.add_option("-l,--length", options.block_bytes,
                 "Bytes written at once (128K; with UDP what fits a packet)")
      ->type_name("SIZE")
      ->group("Traffic");
  app.add_option("-b,--bitrate", options.rate, "Rate of each stream; 0 is as fast as it goes")
      ->type_name("RATE")
      ->group("Traffic");
  app.add_option("--fq-rate", options.pacing, "Rate at which the kernel paces each stream")
      ->type_name("RATE")
      ->group("Traffic");
  app.add_flag("-Z,--zerocopy", options.zero_copy, "Send without copying (sendfile)")
      ->group("Traffic");
}

void declare_sockets(CLI::App& app, Options& options) {
  app.add_option("-w,--window", options.window, "Socket buffers, of both ends")
      ->type_name("SIZE")
      ->group("Sockets");
  app.add_option("-M,--set-mss", options.mss, "Segment size to announce")
      ->check(CLI::Range(88U, 9216U))
      ->type_name("BYTES")
      ->group("Sockets");
  app.add_option("-C,--congestion", options.congestion, "Congestion control, of both ends")
      ->type_name("NAME")
      ->group("Sockets");
  app.add_flag("-N,--no-delay", options.no_delay, "Without Nagle's algorithm")->group("Sockets");
  app.add_option("-S,--tos", options.type_of_service, "Type of service of each packet")
      ->check(CLI::Range(0U, 255U))
      ->type_name("N")
      ->group("Sockets");
  app.add_flag("--dont-fragment", options.dont_fragment, "UDP over IPv4 with DF")->group("Sockets");
  app.add_flag("--udp-counters-64bit", options.wide_counters, "Number datagrams with 64 bits")
      ->group("Sockets");
}

void declare_server(CLI::App& app, Options& options) {
  app.add_option("HOST", options.host, "Who runs 'iperf3 -s' or 'slowpath serve --iperf3'")
      ->required()
      ->type_name("");
  app.add_flag("--iperf3", options.iperf3, "Speak the protocol of iperf3")->group("Server");
  app.add_option("-p,--port", options.port, "Its port (5201)")->type_name("N")->group("Server");
  CLI::Option* ipv4 = app.add_flag("-4,--version4", options.ipv4, "Only IPv4");
  ipv4->group("Server");
  app.add_flag("-6,--version6", options.ipv6, "Only IPv6")->excludes(ipv4)->group("Server");
  app.add_option("-B,--bind", options.bind_host, "Our address")->type_name("HOST")->group("Server");
  app.add_option("--connect-timeout", options.connect_timeout_ms, "Milliseconds to try (10000)")
      ->check(CLI::Range(1U, 3'600'000U))
      ->type_name("MS")
      ->group("Server");
  app.add_flag("--get-server-output", options.get_server_output, "Show what the server printed")
      ->group("Server");
}

void declare_output(CLI::App& app, Options& options) {
  app.add_flag("-J,--json", options.json, "One JSON document with iperf3's keys")->group("Output");
  app.add_option("-T,--title", options.title, "A word of yours, in the document")
      ->type_name("TEXT")
      ->group("Output");
  app.add_option("--extra-data", options.extra_data, "More of them")
      ->type_name("TEXT")
      ->group("Output");
  app.add_flag("-q,--quiet", options.quiet, "Only the totals")->group("Output");
}

/// K, M and G of 1024 for amounts, as with iperf3.
Result<void> set_size(std::uint64_t& value, const std::string& text, std::uint64_t most) {
  if (text.empty()) return {};
  const Result<std::uint64_t> parsed = parse_size(text);
  if (!parsed) return std::unexpected(parsed.error());
  if (*parsed > most) {
    return fail(ErrorKind::usage, fmt::format("cannot test with {}", text),
                fmt::format("at most {} are possible", format_bytes(static_cast<double>(most))));
  }
  value = *parsed;
  return {};
}

Result<void> set_rate(double& value, const std::string& text) {
  if (text.empty()) return {};
  const Result<double> parsed = parse_rate(text);
  if (!parsed) return std::unexpected(parsed.error());
  value = *parsed;
  return {};
}

Result<void> set_amounts(const Options& options, iperf3::ClientOptions& client) {
  iperf3::Parameters& parameters = client.parameters;
  constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 62;
  constexpr std::uint64_t kLargestBlock = 1 << 20, kLargestDatagram = 65507;
  constexpr std::uint64_t kLargestWindow = 512 << 20;
  std::uint64_t block_bytes = 128 << 10, window = 0;
  double pacing = 0;
  parameters.rate_bps = options.udp ? 1e6 : 0;
  for (const Result<void>& set :
       {set_size(parameters.bytes, options.bytes, kNoLimit),
        set_size(parameters.blocks, options.blocks, kNoLimit),
        set_size(block_bytes, options.block_bytes, options.udp ? kLargestDatagram : kLargestBlock),
        set_size(window, options.window, kLargestWindow),
        set_rate(parameters.rate_bps, options.rate), set_rate(pacing, options.pacing)}) {
    if (!set) return set;
  }
  constexpr std::uint64_t kSmallestDatagram = 16;
  if (block_bytes == 0 || (options.udp && block_bytes < kSmallestDatagram)) {
    return fail(ErrorKind::usage, fmt::format("cannot test with blocks of {}", options.block_bytes),
                options.udp ? "a datagram has at least 16 bytes" : "a block has at least one byte");
  }
  parameters.block_bytes = static_cast<std::uint32_t>(block_bytes);
  client.has_block_bytes = !options.block_bytes.empty();
  parameters.window_bytes = static_cast<std::uint32_t>(window);
  parameters.pacing_bps = static_cast<std::uint64_t>(pacing);
  return {};
}

Result<iperf3::ClientOptions> client_options_of(const Options& options) {
  iperf3::ClientOptions client;
  client.server = {.host = options.host,
                   .port = options.port,
                   .family = options.ipv4   ? probe::IpFamily::ipv4
                             : options.ipv6 ? probe::IpFamily::ipv6
                                            : probe::IpFamily::any,
                   .bind_host = options.bind_host,
                   .bind_device = {}};
  iperf3::Parameters& parameters = client.parameters;
  parameters.is_udp = options.udp;
  parameters.reverse = options.reverse;
  parameters.bidirectional = options.bidirectional;
  parameters.duration_s = options.seconds;
  parameters.omit_s = options.omit_s;
  parameters.streams = options.streams;
  parameters.mss_bytes = options.mss;
  parameters.type_of_service = options.type_of_service;
  parameters.no_delay = options.no_delay;
  parameters.zero_copy = options.zero_copy;
  parameters.dont_fragment = options.dont_fragment;
  parameters.wide_counters = options.wide_counters;
  parameters.get_server_output = options.get_server_output;
  parameters.congestion_control = options.congestion;
  parameters.title = options.title;
  parameters.extra_data = options.extra_data;
  client.connect_timeout = std::chrono::milliseconds(options.connect_timeout_ms);
  client.interval = from_seconds(options.interval_s);
  client.stop = &stop_requested();
  if (const Result<void> set = set_amounts(options, client); !set) {
    return std::unexpected(set.error());
  }
  if (!options.bytes.empty() || !options.blocks.empty()) parameters.duration_s = 0;
  return client;
}

ExitCode refuse(const Error& error, const Options& options) {
  if (options.json) write_answer(report::iperf3_error_to_json(error.message()));
  return complain(error);
}

ExitCode run(const Options& options) {
  note_stop_signals();
  Result<iperf3::ClientOptions> client = client_options_of(options);
  if (!client) return refuse(client.error(), options);
  if (!options.json) {
    client->on_begin = [](const Iperf3Facts& facts) {
      write_answer(report::iperf3_begin_text(facts));
    };
  }
  if (!options.json && !options.quiet) {
    client->on_interval = [](const Iperf3Facts& facts) {
      write_answer(report::iperf3_interval_text(facts));
    };
  }
  const Result<Iperf3Facts> facts = iperf3::run_client(*client);
  if (!facts) {
    if (stop_requested()) return exit_code_of_signal();
    return refuse(facts.error(), options);
  }
  const ExitCode written =
      write_answer(options.json ? report::iperf3_to_json(*facts) : report::iperf3_end_text(*facts));
  if (written != ExitCode::answered) return written;
  if (const ExitCode stopped = exit_code_of_signal(); stopped != ExitCode::answered) return stopped;
  return facts->error.empty() ? ExitCode::answered : ExitCode::network;
}

Run declare(CLI::App& app) {
  auto options = std::make_shared<Options>();
  declare_server(app, *options);
  declare_amount(app, *options);
  declare_traffic(app, *options);
  declare_sockets(app, *options);
  declare_output(app, *options);
  return [options] { return run(*options); };
}

}  // namespace

extern const Command iperf3_client;
const Command iperf3_client{.name = "test",
                            .summary = "test with a server that runs iperf3",
                            .examples =
                                "  slowpath test --iperf3 server\n"
                                "  slowpath test --iperf3 server -R -P 4 -t 30\n"
                                "  slowpath test --iperf3 server -u -b 100M -l 1200 -J\n",
                            .declare = declare,
                            .variant = "--iperf3"};

}  // namespace slowpath::cli
