// SPDX-License-Identifier: Apache-2.0
// `slowpath test --iperf3 HOST`: a test with a server that runs iperf3, with iperf3's letters.
#include "probe/iperf3/client.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/format.h"
#include "cli/answer_options.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/iperf3/client_options.h"
#include "cli/iperf3/password.h"
#include "cli/iperf3/shared.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "detect/iperf3_test.h"
#include "report/iperf3_json.h"
#include "report/iperf3_text.h"

namespace slowpath::cli::iperf3 {
namespace {

namespace protocol = probe::iperf3;

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

/// "100M", or "100M/32": 32 blocks at once.
Result<void> set_bitrate(protocol::Parameters& parameters, const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash != std::string::npos) {
    const Result<std::uint64_t> burst = parse_size(text.substr(slash + 1));
    constexpr std::uint64_t kLargestBurst = 1000;
    if (!burst || *burst == 0 || *burst > kLargestBurst)
      return fail(ErrorKind::usage, fmt::format("cannot send at {}", text),
                  "a burst has 1 to 1000 blocks");
    parameters.burst_blocks = static_cast<std::uint32_t>(*burst);
  }
  return set_rate(parameters.rate_bps, text.substr(0, slash));
}

Result<void> set_amounts(const ClientOptions& options, protocol::ClientOptions& client) {
  protocol::Parameters& parameters = client.parameters;
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
        set_size(window, options.window, kLargestWindow), set_bitrate(parameters, options.rate),
        set_rate(pacing, options.pacing)}) {
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

/// Names of RFC 2474, 2597, 3246 and 5865, or a number.
std::optional<std::uint32_t> dscp_of(const std::string& text) {
  constexpr std::pair<std::string_view, std::uint32_t> kNames[] = {
      {"af11", 10}, {"af12", 12}, {"af13", 14}, {"af21", 18}, {"af22", 20}, {"af23", 22},
      {"af31", 26}, {"af32", 28}, {"af33", 30}, {"af41", 34}, {"af42", 36}, {"af43", 38},
      {"cs0", 0},   {"cs1", 8},   {"cs2", 16},  {"cs3", 24},  {"cs4", 32},  {"cs5", 40},
      {"cs6", 48},  {"cs7", 56},  {"ef", 46},   {"va", 44},   {"le", 1}};
  std::string lower = text;
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const auto& [name, value] : kNames) {
    if (lower == name) return value;
  }
  char* end = nullptr;
  const unsigned long value = std::strtoul(text.c_str(), &end, 0);
  constexpr unsigned long kMost = 63;
  if (text.empty() || *end != '\0' || text.front() == '-' || value > kMost) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

/// What goes together in iperf3's protocol, and what does not.
Result<void> check(const ClientOptions& options) {
  const auto refuse = [](std::string attempt, std::string why) {
    return fail(ErrorKind::usage, std::move(attempt), std::move(why));
  };
  if (!options.file.empty() && (options.udp || options.bidirectional || options.streams > 1))
    return refuse("cannot use a file with -u, --bidir or -P",
                  "one stream of TCP carries it, one way");
  if (!options.file.empty() && options.repeating_payload)
    return refuse("cannot send a file and digits", "leave out -F or --repeating-payload");
  if (options.flow_label != 0 && (options.udp || options.shared.ipv4))
    return refuse("cannot set a flow label with -u or -4", "it is set for TCP over IPv6");
  const std::uint32_t ports = options.streams * (options.bidirectional ? 2 : 1);
  if (options.local_port != 0 && options.local_port + ports > 65'536)
    return refuse(fmt::format("cannot use {} ports from {}", ports, options.local_port),
                  "ports end at 65535");
  return {};
}

Result<void> set_login(const ClientOptions& options, protocol::ClientOptions& client) {
  if (options.user.empty()) return {};
  Result<std::string> password = find_password(options.user);
  if (!password) return std::unexpected(password.error());
  client.login = {
      .user = options.user,
      .password = std::move(*password),
      .public_key_file = options.public_key,
      .padding = options.oaep_padding ? protocol::Padding::oaep : protocol::Padding::pkcs1};
  return {};
}

Result<protocol::ClientOptions> client_options_of(const ClientOptions& options,
                                                  const SharedPlan& shared) {
  if (auto sound = check(options); !sound) return std::unexpected(sound.error());
  protocol::ClientOptions client;
  client.server = {.host = options.host,
                   .port = options.port,
                   .family = shared.family,
                   .bind_host = shared.host,
                   .bind_device = shared.device};
  protocol::Parameters& parameters = client.parameters;
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
  parameters.flow_label = options.flow_label;
  parameters.repeating_payload = options.repeating_payload;
  parameters.server_affinity = shared.server_affinity;
  if (!options.dscp.empty()) {
    const auto dscp = dscp_of(options.dscp);
    if (!dscp)
      return fail(ErrorKind::usage, fmt::format("cannot mark packets '{}'", options.dscp), {},
                  "it is a number up to 63, or a name like ef, cs1 or af41");
    parameters.type_of_service = *dscp << 2U;
  }
  client.affinity = shared.affinity;
  client.file = options.file;
  client.local_port = options.local_port;
  client.silent_s = options.shared.silent_ms / 1000.0;
  client.user_timeout_ms = options.user_timeout_ms;
  if (auto set = set_login(options, client); !set) return std::unexpected(set.error());
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

ExitCode refuse(const Error& error, const ClientOptions& options) {
  if (options.json) write_answer(report::iperf3_error_to_json(error.message()));
  return complain(error);
}

void set_hooks(const ClientOptions& options, report::RateUnit unit,
               protocol::ClientOptions& client) {
  if (options.json) return;
  client.on_begin = [&options](const Iperf3Facts& facts) {
    write_lines(options.shared, report::iperf3_begin_text(facts));
  };
  if (options.quiet) return;
  client.on_interval = [&options, unit](const Iperf3Facts& facts) {
    write_lines(options.shared, report::iperf3_interval_text(facts, unit));
  };
}

ExitCode run(const ClientOptions& options) {
  note_stop_signals();
  const Result<SharedPlan> shared = shared_plan_of(options.shared);
  if (!shared) return refuse(shared.error(), options);
  Result<protocol::ClientOptions> client = client_options_of(options, *shared);
  if (!client) return refuse(client.error(), options);
  const Result<Redirection> redirection = Redirection::begin(options.shared);
  if (!redirection) return complain(redirection.error());
  set_hooks(options, shared->unit, *client);
  const Result<Iperf3Facts> facts = protocol::run_client(*client);
  if (!facts) {
    if (stop_requested()) return exit_code_of_signal();
    return refuse(facts.error(), options);
  }
  const Diagnosis diagnosis = detect::diagnose_iperf3(*facts);
  const ExitCode written =
      options.json ? write_answer(report::iperf3_to_json(*facts, diagnosis))
                   : write_lines(options.shared, report::iperf3_end_text(*facts, shared->unit) +
                                                     verdict_text(options.shared, diagnosis));
  if (written != ExitCode::answered) return written;
  if (const ExitCode stopped = exit_code_of_signal(); stopped != ExitCode::answered) return stopped;
  if (!facts->error.empty()) return ExitCode::network;
  return has_failed(diagnosis.findings, options.fail_on) ? ExitCode::found : ExitCode::answered;
}

Run declare(const CommandLine& line) {
  auto options = std::make_shared<ClientOptions>();
  declare_client(line, *options);
  return [options] { return run(*options); };
}

}  // namespace
}  // namespace slowpath::cli::iperf3

namespace slowpath::cli {

extern const Command iperf3_client;
const Command iperf3_client{.name = "test",
                            .summary = "test with a server that runs iperf3",
                            .examples =
                                "  slowpath test --iperf3 server\n"
                                "  slowpath test --iperf3 server -R -P 4 -t 30\n"
                                "  slowpath test --iperf3 server -u -b 100M -l 1200 -J\n",
                            .declare = iperf3::declare,
                            .variant = "--iperf3"};

}  // namespace slowpath::cli
