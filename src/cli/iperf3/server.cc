// SPDX-License-Identifier: Apache-2.0
// `slowpath serve --iperf3`: a server for clients that run iperf3.
#include "probe/iperf3/server.h"

#include <cstdint>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "base/format.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "probe/iperf3/protocol.h"
#include "report/iperf3_json.h"
#include "report/iperf3_text.h"

namespace slowpath::cli {
namespace {

namespace iperf3 = probe::iperf3;

/// As typed; empty where nothing was.
struct Options {
  std::string host, highest_rate, longest = "1h";
  std::uint16_t port = iperf3::kPort;
  double interval_s = 1;
  bool iperf3 = false, one_off = false, ipv4 = false, ipv6 = false, json = false, quiet = false;
};

void declare_options(CLI::App& app, Options& options) {
  app.add_flag("--iperf3", options.iperf3, "Speak the protocol of iperf3")->group("Clients");
  app.add_option("-p,--port", options.port, "Where to listen, TCP and UDP (5201)")
      ->type_name("N")
      ->group("Clients");
  app.add_option("-B,--bind", options.host, "The address to listen on; else all of this host")
      ->type_name("HOST")
      ->group("Clients");
  CLI::Option* ipv4 = app.add_flag("-4,--version4", options.ipv4, "Only IPv4");
  ipv4->group("Clients");
  app.add_flag("-6,--version6", options.ipv6, "Only IPv6")->excludes(ipv4)->group("Clients");
  app.add_flag("-1,--one-off", options.one_off, "End after the first test")->group("Clients");
  app.add_option("--max-time", options.longest, "The longest test that is let in (1h)")
      ->type_name("TIME")
      ->group("Limits");
  app.add_option("--max-rate", options.highest_rate,
                 "The highest rate of a whole test; one without a rate of its own is refused then")
      ->type_name("RATE")
      ->group("Limits");
  app.add_option("-i,--interval", options.interval_s, "Seconds between reports (1); 0 is none")
      ->check(CLI::Range(0.0, 60.0))
      ->type_name("S")
      ->group("Output");
  app.add_flag("-J,--json", options.json, "One JSON document for each test, with iperf3's keys")
      ->group("Output");
  app.add_flag("-q,--quiet", options.quiet, "Only totals")->group("Output");
}

Result<iperf3::ServerOptions> server_options_of(const Options& options) {
  iperf3::ServerOptions server;
  server.host = options.host;
  server.port = options.port;
  server.family = options.ipv4   ? probe::IpFamily::ipv4
                  : options.ipv6 ? probe::IpFamily::ipv6
                                 : probe::IpFamily::any;
  server.one_off = options.one_off;
  server.interval = from_seconds(options.interval_s);
  server.stop = &stop_requested();
  const Result<Duration> longest = parse_duration(options.longest);
  if (!longest) return std::unexpected(longest.error());
  server.limits.longest_s = to_seconds(*longest);
  if (!options.highest_rate.empty()) {
    const Result<double> rate = parse_rate(options.highest_rate);
    if (!rate) return std::unexpected(rate.error());
    server.limits.highest_bps = *rate;
  }
  return server;
}

/// What a server prints, as a client may ask for it.
std::string whole_text(const Iperf3Facts& facts) {
  return report::iperf3_begin_text(facts) + report::iperf3_end_text(facts);
}

void set_hooks(const Options& options, iperf3::ServerOptions& server) {
  server.output = whole_text;
  server.on_listen = [](std::uint16_t port) {
    complain(
        fmt::format("listening on port {} for iperf3 clients; whoever reaches it may test", port));
  };
  if (options.json) {
    server.on_end = [](const Iperf3Facts& facts) { write_answer(report::iperf3_to_json(facts)); };
    return;
  }
  server.on_begin = [](const Iperf3Facts& facts) {
    write_answer(report::iperf3_begin_text(facts));
  };
  if (!options.quiet) {
    server.on_interval = [](const Iperf3Facts& facts) {
      write_answer(report::iperf3_interval_text(facts));
    };
  }
  server.on_end = [](const Iperf3Facts& facts) { write_answer(report::iperf3_end_text(facts)); };
}

ExitCode run(const Options& options) {
  note_stop_signals();
  Result<iperf3::ServerOptions> server = server_options_of(options);
  if (!server) return complain(server.error());
  set_hooks(options, *server);
  if (const Result<void> served = iperf3::run_server(*server); !served) {
    return complain(served.error());
  }
  return exit_code_of_signal();
}

Run declare(CLI::App& app) {
  auto options = std::make_shared<Options>();
  declare_options(app, *options);
  return [options] { return run(*options); };
}

}  // namespace

extern const Command iperf3_server;
const Command iperf3_server{.name = "serve",
                            .summary = "the far end for clients that run iperf3",
                            .examples =
                                "  slowpath serve --iperf3\n"
                                "  slowpath serve --iperf3 -p 5202 --one-off -J\n",
                            .declare = declare,
                            .variant = "--iperf3"};

}  // namespace slowpath::cli
