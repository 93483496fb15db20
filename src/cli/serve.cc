// SPDX-License-Identifier: Apache-2.0
// `slowpath serve`: the far end of a test. Says on standard error who came and, at its end, what it
// did on standard output.
#include <memory>
#include <string>

#include <fmt/format.h>

#include "base/format.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "cli/serve/options.h"
#include "cli/signals.h"
#include "probe/newcomer.h"
#include "probe/privileges.h"
#include "probe/server.h"

namespace slowpath::cli {
namespace {

std::string how_to_come(const serving::Plan& plan, const Endpoint& address) {
  std::string text =
      fmt::format("serving on {}; on the other host: slowpath test THIS-HOST", to_string(address));
  if (address.port != probe::kDefaultPort) text += fmt::format(" -p {}", address.port);
  if (probe::is_loopback(address.address)) return text;
  if (plan.token_made_up) return text + " --token " + plan.server.secret;
  if (!plan.server.open) return text + " --token TOKEN";
  return text + "   (open: everybody may come)";
}

std::string account_of(const probe::ServerCounters& counters) {
  return fmt::format(
      "{} connections, {} sessions, {} requests; refused {}, not understood {}, too slow {}\n",
      format_count(counters.connections), format_count(counters.sessions),
      format_count(counters.requests), format_count(counters.refused),
      format_count(counters.garbled), format_count(counters.too_slow));
}

ExitCode run(const serving::Options& typed) {
  serving::Options options = typed;
  if (auto read = serving::read_config(options); !read) return complain(read.error());
  const auto plan = serving::plan_of(options);
  if (!plan) return complain(plan.error());
  probe::ServerLog log;
  if (!options.quiet) log = [](const std::string& line) { complain(line); };
  auto server = probe::Server::start(plan->server, std::move(log));
  if (!server) return complain(server.error());
  if (auto dropped = probe::drop_privileges(plan->user); !dropped) return complain(dropped.error());
  note_stop_signals();
  complain(how_to_come(*plan, (*server)->address()));
  (*server)->run(stop_requested());
  const ExitCode written = write_answer(account_of((*server)->counters()));
  return written == ExitCode::answered ? exit_code_of_signal() : written;
}

Run declare(const CommandLine& line) {
  auto options = std::make_shared<serving::Options>();
  serving::declare(line, *options);
  return [options] { return run(*options); };
}

}  // namespace

extern const Command serve_command;
const Command serve_command{
    .name = "serve",
    .summary = "be the far end of a test, until Ctrl-C",
    .examples =
        "  slowpath serve                             a token is made up and shown\n"
        "  slowpath serve --token-file /etc/slowpath/token --max-rate 1G --clients 4\n"
        "  slowpath serve -B 127.0.0.1                this host alone: no token\n"
        "  slowpath serve --config /etc/slowpath/serve.toml\n"
        "  slowpath serve --iperf3 --help             for clients that run iperf3 instead\n",
    .declare = declare};

}  // namespace slowpath::cli
