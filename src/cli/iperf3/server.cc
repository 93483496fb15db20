// SPDX-License-Identifier: Apache-2.0
// `slowpath serve --iperf3`: a server for clients that run iperf3.
#include "probe/iperf3/server.h"

#include <charconv>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/core.h>

#include "base/format.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/iperf3/shared.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "detect/iperf3_test.h"
#include "probe/iperf3/protocol.h"
#include "probe/privileges.h"
#include "report/iperf3_json.h"
#include "report/iperf3_text.h"

namespace slowpath::cli::iperf3 {
namespace {

namespace protocol = probe::iperf3;

/// As typed; empty where nothing was.
struct Options {
  std::string highest_rate, average_rate, longest = "1h", private_key, users, user = "nobody";
  std::string file;
  double skew_s = 10;
  std::uint16_t port = protocol::kPort;
  double interval_s = 1;
  bool iperf3 = false, one_off = false, json = false, quiet = false;
  SharedOptions shared;
};

void declare_options(const CommandLine& line, Options& options) {
  line.add_flag("--iperf3", options.iperf3, "Speak the protocol of iperf3").group("Clients");
  line.add_option("-p,--port", options.port, "Where to listen, TCP and UDP (5201)")
      .type_name("N")
      .group("Clients");
  declare_family(line, options.shared, "Clients");
  line.add_flag("-1,--one-off", options.one_off, "End after the first test").group("Clients");
  const Option key =
      line.add_option("--rsa-private-key-path", options.private_key,
                      "Only users with a password: the key that clients encrypt theirs for");
  key.type_name("FILE").group("Clients");
  const Option users = line.add_option("--authorized-users-path", options.users,
                                       "Those users: lines NAME,SHA256 of '{NAME}PASSWORD'");
  users.needs(key).type_name("FILE").group("Clients");
  key.needs(users);
  line.add_option("--time-skew-threshold", options.skew_s,
                  "Seconds that their clocks may be away (10)")
      .range(1.0, 86'400.0)
      .needs(key)
      .type_name("S")
      .group("Clients");
  line.add_option("--user", options.user, "Who to become where this is root (nobody)")
      .type_name("NAME")
      .group("Limits");
  line.add_option("--max-time", options.longest, "The longest test that is let in (1h)")
      .type_name("TIME")
      .group("Limits");
  line.add_option("--max-rate", options.highest_rate,
                  "The highest rate of a whole test; one without a rate of its own is refused then")
      .type_name("RATE")
      .group("Limits");
  line.add_option("--server-bitrate-limit", options.average_rate,
                  "End a test whose streams together are faster, on the average of S seconds (5)")
      .type_name("RATE[/S]")
      .group("Limits");
  line.add_option(
          "-F,--file", options.file,
          "Write what clients send to this file, anew in each test; those with -R are sent it")
      .type_name("FILE")
      .group("Clients");
  line.add_option("-i,--interval", options.interval_s, "Seconds between reports (1); 0 is none")
      .range(0.0, 60.0)
      .type_name("S")
      .group("Output");
  line.add_flag("-J,--json", options.json, "One JSON document for each test, with iperf3's keys")
      .group("Output");
  line.add_flag("-q,--quiet", options.quiet, "Only totals").group("Output");
}

/// "100M", or "100M/10": over ten seconds.
Result<void> set_average(const std::string& text, protocol::ServerLimits& limits) {
  if (text.empty()) return {};
  const std::size_t slash = text.find('/');
  const Result<double> rate = parse_rate(text.substr(0, slash));
  if (!rate) return std::unexpected(rate.error());
  limits.most_average_bps = *rate;
  if (slash == std::string::npos) return {};
  // MIN_INTERVAL and MAX_INTERVAL of iperf.h.
  constexpr double kLeast_s = 0.1, kMost_s = 60;
  const std::string behind = text.substr(slash + 1);
  double seconds = 0;
  const auto [end, error] = std::from_chars(behind.data(), behind.data() + behind.size(), seconds);
  if (error != std::errc{} || end != behind.data() + behind.size() ||
      !(seconds >= kLeast_s && seconds <= kMost_s))
    return fail(ErrorKind::usage, fmt::format("cannot limit the rate to {}", text),
                "it is averaged over 0.1 to 60 seconds", "RATE, or RATE/SECONDS");
  limits.averaged = from_seconds(seconds);
  return {};
}

Result<protocol::ServerOptions> server_options_of(const Options& options,
                                                  const SharedPlan& shared) {
  protocol::ServerOptions server;
  server.host = shared.host;
  server.bind_device = shared.device;
  server.affinity = shared.affinity;
  server.silent_s = options.shared.silent_ms / 1000.0;
  server.port = options.port;
  server.family = shared.family;
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
  if (auto set = set_average(options.average_rate, server.limits); !set)
    return std::unexpected(set.error());
  if (!options.file.empty()) {
    auto file = protocol::TestFile::open(options.file, protocol::FileUse::either);
    if (!file) return std::unexpected(file.error());
    server.file = std::make_shared<const protocol::TestFile>(std::move(*file));
  }
  if (!options.private_key.empty()) {
    auto authority = protocol::Authority::open(options.private_key, options.users, options.skew_s);
    if (!authority) return std::unexpected(authority.error());
    server.authority = *std::move(authority);
  }
  return server;
}

/// What a server prints, as a client may ask for it.
std::string whole_text(const Iperf3Facts& facts) {
  return report::iperf3_begin_text(facts) + report::iperf3_end_text(facts);
}

/// The end of a test, with what this end's sockets say of it where they sent.
std::string end_text(const Options& options, report::RateUnit unit, const Iperf3Facts& facts) {
  std::string text = report::iperf3_end_text(facts, unit);
  if (!facts.streams.empty()) text += verdict_text(options.shared, detect::diagnose_iperf3(facts));
  return text;
}

void set_hooks(const Options& options, report::RateUnit unit, protocol::ServerOptions& server) {
  server.output = whole_text;
  const bool asks = server.authority != nullptr;
  server.on_listen = [asks, &options](std::uint16_t port) -> Result<void> {
    if (auto dropped = probe::drop_privileges(options.user); !dropped) return dropped;
    complain(fmt::format("listening on port {} for iperf3 clients; {} may test", port,
                         asks ? "users with a password" : "whoever reaches it"));
    return {};
  };
  if (options.json) {
    server.on_end = [](const Iperf3Facts& facts) {
      write_answer(report::iperf3_to_json(facts, detect::diagnose_iperf3(facts)));
    };
    return;
  }
  server.on_begin = [&options](const Iperf3Facts& facts) {
    write_lines(options.shared, report::iperf3_begin_text(facts));
  };
  if (!options.quiet) {
    server.on_interval = [&options, unit](const Iperf3Facts& facts) {
      write_lines(options.shared, report::iperf3_interval_text(facts, unit));
    };
  }
  server.on_end = [&options, unit](const Iperf3Facts& facts) {
    write_lines(options.shared, end_text(options, unit, facts));
  };
}

ExitCode run(const Options& options) {
  note_stop_signals();
  const Result<SharedPlan> shared = shared_plan_of(options.shared);
  if (!shared) return complain(shared.error());
  Result<protocol::ServerOptions> server = server_options_of(options, *shared);
  if (!server) return complain(server.error());
  const Result<Redirection> redirection = Redirection::begin(options.shared);
  if (!redirection) return complain(redirection.error());
  set_hooks(options, shared->unit, *server);
  if (const Result<void> served = protocol::run_server(*server); !served) {
    return complain(served.error());
  }
  return exit_code_of_signal();
}

Run declare(const CommandLine& line) {
  auto options = std::make_shared<Options>();
  declare_options(line, *options);
  declare_shared(line, options->shared);
  declare_refused(
      line, options->shared,
      {{"-D,--daemon", "it stays in the foreground: systemd or nohup keep it running"},
       {"--idle-timeout", "nothing gets stuck: every step has its own end", true},
       {"-d,--debug", "there is no debugging output: strace or tcpdump show the rest"}});
  return [options] { return run(*options); };
}

}  // namespace
}  // namespace slowpath::cli::iperf3

namespace slowpath::cli {

extern const Command iperf3_server;
const Command iperf3_server{.name = "serve",
                            .summary = "the far end for clients that run iperf3",
                            .examples =
                                "  slowpath serve --iperf3\n"
                                "  slowpath serve --iperf3 -p 5202 --one-off -J\n",
                            .declare = iperf3::declare,
                            .variant = "--iperf3"};

}  // namespace slowpath::cli
