// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/options.h"

#include <cstdlib>
#include <fstream>

#include <fmt/format.h>

#include "base/format.h"
#include "base/version.h"
#include "cli/command_line.h"
#include "probe/secret.h"

namespace slowpath::cli::serving {
namespace {

constexpr std::size_t kMostClients = 4096, kMostStreams = 128;

void declare_where(const CommandLine& line, Options& options) {
  line.add_option("-p,--port", options.port, "TCP port (5202)").type_name("PORT").group("Where");
  line.add_option("-B,--bind", options.host, "Address to listen on (all)")
      .type_name("ADDRESS")
      .group("Where");
  line.add_flag("-4", options.only_ipv4, "IPv4 only").group("Where");
  line.add_flag("-6", options.only_ipv6, "IPv6 only").group("Where");
}

void declare_who(const CommandLine& line, Options& options) {
  line.add_option("--token", options.token,
                  "What clients on other hosts must know; others see it in the list of processes: "
                  "better --token-file or $SLOWPATH_TOKEN. Without any, one is made up and shown")
      .type_name("TEXT")
      .group("Who may come");
  line.add_option("--token-file", options.token_file, "Its first line is the token")
      .type_name("FILE")
      .group("Who may come");
  line.add_flag("--open", options.open, "Everybody may come").group("Who may come");
}

void declare_limits(const CommandLine& line, Options& options) {
  line.add_option("--clients", options.clients, "Served at once (64)")
      .range(std::size_t{1}, kMostClients)
      .type_name("N")
      .group("Limits");
  line.add_option("--streams", options.streams, "Of one test, each way (128)")
      .range(std::size_t{1}, kMostStreams)
      .type_name("N")
      .group("Limits");
  line.add_option("--max-rate", options.rate, "Of one client, each way: 100M")
      .type_name("RATE")
      .group("Limits");
  line.add_option("--max-time", options.time, "Of one transfer (5m)")
      .type_name("TIME")
      .group("Limits");
}

/// What --config says has not been looked at yet.
Result<void> check_limits(const probe::ServerLimits& limits) {
  if (limits.clients < 1 || limits.clients > kMostClients)
    return fail(ErrorKind::usage, fmt::format("cannot serve {} clients at once", limits.clients),
                {}, fmt::format("\"clients\" is between 1 and {}", kMostClients));
  if (limits.streams < 1 || limits.streams > kMostStreams)
    return fail(ErrorKind::usage, fmt::format("cannot serve tests of {} streams", limits.streams),
                {}, fmt::format("\"streams\" is between 1 and {}", kMostStreams));
  if (limits.transfer.count() <= 0)
    return fail(ErrorKind::usage, "cannot serve transfers of no time", {},
                "--max-time 5m is usual");
  return {};
}

Result<void> set_limits(const Options& options, probe::ServerLimits& limits) {
  limits.clients = options.clients.value_or(limits.clients);
  limits.streams = options.streams.value_or(limits.streams);
  if (options.rate) {
    const auto rate = parse_rate(*options.rate);
    if (!rate) return std::unexpected(rate.error());
    limits.rate_bps = *rate;
  }
  if (options.time) {
    const auto time = parse_duration(*options.time);
    if (!time) return std::unexpected(time.error());
    limits.transfer = *time;
  }
  return check_limits(limits);
}

}  // namespace

void declare(const CommandLine& line, Options& options) {
  declare_where(line, options);
  declare_who(line, options);
  declare_limits(line, options);
  line.add_option("--config", options.config, "Read options from a TOML file (see the manual)")
      .type_name("FILE")
      .group("Running");
  line.add_option("--user", options.user, "Whom to become where it was started as root (nobody)")
      .type_name("NAME")
      .group("Running");
  line.add_flag("-q,--quiet", options.quiet, "No line for each client").group("Running");
}

Result<std::string> find_token(const std::optional<std::string>& given,
                               const std::optional<std::string>& file) {
  if (given) return *given;
  if (!file) {
    const char* value = std::getenv("SLOWPATH_TOKEN");
    return value == nullptr ? std::string{} : std::string{value};
  }
  std::ifstream stream{*file};
  std::string line;
  if (std::getline(stream, line) && !line.empty()) return line;
  return fail(ErrorKind::input, "cannot read a token from " + *file,
              stream.is_open() ? "its first line is empty" : std::strerror(errno));
}

Result<Plan> plan_of(const Options& options) {
  Plan plan;
  auto token = find_token(options.token, options.token_file);
  if (!token) return std::unexpected(token.error());
  plan.server.secret = *std::move(token);
  if (plan.server.secret.empty() && !options.open) {
    constexpr std::size_t kTokenBytes = 8;
    plan.server.secret = probe::random_hex(kTokenBytes);
    plan.token_made_up = true;
  }
  if (options.only_ipv4 && options.only_ipv6)
    return fail(ErrorKind::usage, "cannot serve with -4 and -6 together", {},
                "without either, both are served");
  plan.server.host = options.host.value_or("");
  plan.server.port = options.port.value_or(probe::kDefaultPort);
  if (options.only_ipv4) plan.server.family = probe::IpFamily::ipv4;
  if (options.only_ipv6) plan.server.family = probe::IpFamily::ipv6;
  plan.server.open = options.open;
  plan.server.version = kVersion;
  plan.user = options.user.value_or("nobody");
  if (auto set = set_limits(options, plan.server.limits); !set) return std::unexpected(set.error());
  return plan;
}

}  // namespace slowpath::cli::serving
