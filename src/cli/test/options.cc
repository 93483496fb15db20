// SPDX-License-Identifier: Apache-2.0
#include "cli/test/options.h"

#include <fmt/format.h>

#include "base/format.h"
#include "cli/command_line.h"
#include "probe/secret.h"

namespace slowpath::cli::testing {
namespace {

void declare_where(const CommandLine& line, Options& options) {
  line.add_option("HOST", options.host, "Where slowpath serve runs").type_name("").required();
  line.add_option("-p,--port", options.port, "Its TCP port (5202)")
      .type_name("PORT")
      .group("Where");
  line.add_option("-B,--bind", options.bind_host, "Send from this address of this host")
      .type_name("ADDRESS")
      .group("Where");
  line.add_flag("-4", options.only_ipv4, "IPv4 only").group("Where");
  line.add_flag("-6", options.only_ipv6, "IPv6 only").group("Where");
  line.add_option("--token", options.token, "The server's token; or $SLOWPATH_TOKEN")
      .type_name("TEXT")
      .group("Where");
  line.add_option("--token-file", options.token_file, "Its first line is the token")
      .type_name("FILE")
      .group("Where");
}

void declare_amount(const CommandLine& line, Options& options) {
  line.add_option("-t,--time", options.time, "How long each way (5s)")
      .type_name("TIME")
      .group("How much");
  line.add_option("-n,--bytes", options.bytes, "So many bytes instead")
      .type_name("SIZE")
      .group("How much");
  line.add_option("-k,--blocks", options.blocks, "So many blocks instead")
      .type_name("N")
      .group("How much");
  line.add_option("-O,--omit", options.omit, "Leave out the beginning (slow start)")
      .type_name("TIME")
      .group("How much");
  line.add_option("-P,--parallel", options.streams, "Streams each way (1)")
      .range(1, 128)
      .type_name("N")
      .group("How much");
  const Option forward =
      line.add_flag("--forward", options.forward, "To the server only").group("How much");
  const Option reverse =
      line.add_flag("-R,--reverse", options.reverse, "From the server only").group("How much");
  const Option both = line.add_flag("--bidir", options.both, "Both at once only").group("How much");
  forward.excludes(reverse).excludes(both);
  reverse.excludes(both);
}

void declare_how(const CommandLine& line, Options& options) {
  line.add_option("-w,--window", options.window, "Socket buffers of both ends (the system's)")
      .type_name("SIZE")
      .group("How");
  line.add_option("-l,--length", options.block, "Bytes of a block (128K)")
      .type_name("SIZE")
      .group("How");
  line.add_option("-M,--set-mss", options.mss, "Largest segment")
      .range(88, 65495)
      .type_name("BYTES")
      .group("How");
  line.add_option("-C,--congestion", options.congestion_control, "Congestion control of both ends")
      .type_name("NAME")
      .group("How");
  line.add_option("-b,--bitrate", options.rate, "Rate of each stream: 100M")
      .type_name("RATE")
      .group("How");
  line.add_option("--fq-rate", options.pacing, "Rate at which the kernel paces each stream")
      .type_name("RATE")
      .group("How");
  line.add_flag("-N,--no-delay", options.no_delay, "TCP_NODELAY").group("How");
  line.add_flag("-Z,--zerocopy", options.zero_copy,
                "Send by sendfile; content then repeats every 64 MiB")
      .group("How");
  line.add_option(
          "--content", options.content,
          "random, text (compressible), zeros, or file:PATH (its first 8 MiB, over and over)")
      .type_name("KIND")
      .group("How");
  line.add_flag("--no-verify", options.no_verify,
                "Do not compare what arrives, nor even copy it out of the kernel")
      .group("How");
  line.add_flag("--no-ceiling", options.no_ceiling, "Do not measure what the hosts reach alone")
      .group("How");
  line.add_option("--sweep", options.sweep, "Try many values, find the knee")
      .one_of({"window", "mss", "streams"})
      .type_name("window|mss|streams")
      .group("How");
}

void declare_output(const CommandLine& line, Options& options) {
  line.add_flag("-J,--json", options.json, "One JSON document (see 'slowpath schema test')")
      .group("Output");
  line.add_flag("--all", options.all, "Accounts of sockets and processors, and every remedy")
      .group("Output");
  line.add_flag("-q,--quiet", options.quiet, "No progress").group("Output");
  line.add_option("--save", options.save, "Keep the JSON document in a file")
      .type_name("FILE")
      .group("Output");
  line.add_option("--against", options.against, "Compare with a test that was saved")
      .type_name("FILE")
      .group("Output");
  line.add_option("--fail-on", options.fail_on, "Exit with 1 if a fault, or a suspect, is found")
      .one_of({"fault", "suspect"})
      .type_name("fault|suspect")
      .group("Output");
  line.add_option("--color", options.color, "auto, always or never")
      .one_of({"auto", "always", "never"})
      .type_name("WHEN")
      .group("Output");
}

/// As iperf3 has it: "5" are seconds.
Result<Duration> parse_time(const std::string& text) {
  const bool is_plain = !text.empty() && text.find_first_not_of("0123456789.") == std::string::npos;
  return parse_duration(is_plain ? text + "s" : text);
}

/// Reads what was typed, if anything was, and remembers the first error.
class Reader {
 public:
  template <typename T, typename Parse>
  void read(const std::optional<std::string>& typed, T& into, Parse parse) {
    if (!typed || error_) return;
    if (auto value = parse(*typed)) {
      into = static_cast<T>(*value);
    } else {
      error_ = value.error();
    }
  }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  std::optional<Error> error_;
};

constexpr std::string_view kFile = "file:";

Result<void> set_content(const std::string& kind, probe::TransferRequest& request) {
  using probe::ContentKind;
  for (const ContentKind each : {ContentKind::random, ContentKind::text, ContentKind::zeros}) {
    if (kind != probe::to_string(each)) continue;
    request.content = each;
    return {};
  }
  if (!kind.starts_with(kFile) || kind.size() == kFile.size())
    return fail(ErrorKind::usage, fmt::format("cannot send content '{}'", kind), {},
                "it is random, text, zeros or file:PATH");
  auto bytes = probe::read_content_file(kind.substr(kFile.size()));
  if (!bytes) return std::unexpected(bytes.error());
  request.content = ContentKind::memory;
  request.bytes = *std::move(bytes);
  return {};
}

/// What no server takes; it would say so in the words of its protocol, and later.
Result<void> check_amounts(const Options& options, const probe::TransferRequest& request) {
  constexpr std::uint64_t kLargestBlock = 4U << 20U, kLargestBuffer = 1U << 30U;
  const probe::TransferPlan& plan = request.plan;
  if (plan.block_bytes == 0 || plan.block_bytes > kLargestBlock)
    return fail(ErrorKind::usage, "cannot send blocks of " + options.block.value_or("no bytes"), {},
                "name a size between 1 and 4M; 128K is usual");
  if (options.time && plan.duration.count() <= 0)
    return fail(ErrorKind::usage, "cannot test for no time", {}, "-t 5s is usual");
  if ((options.bytes && plan.bytes == 0) || (options.blocks && plan.blocks == 0))
    return fail(ErrorKind::usage, "cannot send nothing", {}, "-n 100M is an amount");
  if (request.socket.buffer_bytes.value_or(0) > kLargestBuffer)
    return fail(ErrorKind::usage, "cannot use a window of " + *options.window, {},
                "name a size up to 1G");
  return {};
}

Result<void> check(const Options& options, const probe::TransferRequest& request) {
  if (auto checked = check_amounts(options, request); !checked) return checked;
  if (options.zero_copy && (options.content == "text" || options.content == "zeros"))
    return fail(ErrorKind::usage, "cannot send text or zeros with --zerocopy", {},
                "leave one of them out");
  if (!options.sweep.empty() && (options.both || options.bytes || options.blocks))
    return fail(ErrorKind::usage, "cannot sweep with --bidir, --bytes or --blocks", {},
                "a sweep has a time and one direction: -t, and -R for the way back");
  return {};
}

/// As people write hosts elsewhere: in brackets, with a port behind, in a URL.
Result<std::string> host_of(const std::string& typed) {
  const auto refuse = [&](std::string hint) {
    return fail(ErrorKind::usage, fmt::format("'{}' is no host", typed), {}, std::move(hint));
  };
  if (typed.empty()) return refuse("name one, or its address");
  if (typed.find('/') != std::string::npos)
    return refuse("leave out what stands around it; slowpath fetch takes a URL");
  const std::size_t colon = typed.rfind(':');
  if (typed.front() == '[' && typed.back() == ']') return typed.substr(1, typed.size() - 2);
  if (colon != std::string::npos && (typed.find(':') == colon || typed.front() == '['))
    return refuse("the port is an option: -p " + typed.substr(colon + 1));
  return typed;
}

}  // namespace

void declare(const CommandLine& line, Options& options) {
  declare_where(line, options);
  declare_amount(line, options);
  declare_how(line, options);
  declare_path_tests(line, options.path);
  declare_output(line, options);
}

Result<probe::Target> target_of(const Options& options) {
  if (options.only_ipv4 && options.only_ipv6)
    return fail(ErrorKind::usage, "cannot use -4 and -6 together", {}, "leave one of them out");
  probe::Target target{.host = options.host, .port = options.port, .bind_host = options.bind_host};
  if (auto host = host_of(options.host); host) {
    target.host = *std::move(host);
  } else {
    return std::unexpected(host.error());
  }
  if (options.only_ipv4) target.family = probe::IpFamily::ipv4;
  if (options.only_ipv6) target.family = probe::IpFamily::ipv6;
  return target;
}

Result<probe::TransferRequest> request_of(const Options& options) {
  using namespace std::chrono_literals;
  probe::TransferRequest request;
  probe::TransferPlan& plan = request.plan;
  std::uint64_t buffer = 0;
  Reader reader;
  plan.duration = options.bytes || options.blocks ? Duration{0} : Duration{5s};
  reader.read(options.time, plan.duration, parse_time);
  reader.read(options.omit, plan.omit, parse_time);
  reader.read(options.bytes, plan.bytes, parse_size);
  reader.read(options.blocks, plan.blocks, parse_size);
  reader.read(options.block, plan.block_bytes, parse_size);
  reader.read(options.rate, plan.rate_bps, parse_rate);
  reader.read(options.window, buffer, parse_size);
  double pacing_bps = 0;
  reader.read(options.pacing, pacing_bps, parse_rate);
  if (reader.error()) return std::unexpected(*reader.error());
  if (pacing_bps > 0) request.socket.pacing_rate_bps = static_cast<std::uint64_t>(pacing_bps);
  // Many short intervals: a median of few says nothing.
  plan.interval =
      plan.duration.count() > 0 && plan.duration <= Duration{30s} ? Duration{250ms} : Duration{1s};
  if (options.window) request.socket.buffer_bytes = buffer;
  request.socket.mss_bytes = options.mss;
  request.socket.congestion_control = options.congestion_control;
  request.socket.no_delay = options.no_delay;
  // Small blocks, evenly spaced, where the rate is given and the length is not.
  if (plan.rate_bps > 0 && !options.block) {
    constexpr double kEveryS = 0.002;
    plan.block_bytes = static_cast<std::size_t>(
        std::clamp(plan.rate_bps / 8 * kEveryS, 1448.0, static_cast<double>(plan.block_bytes)));
  }
  request.streams = options.streams;
  request.verify = !options.no_verify;
  request.zero_copy = options.zero_copy;
  request.key = probe::random_number();
  if (auto set = set_content(options.content, request); !set) return std::unexpected(set.error());
  if (auto checked = check(options, request); !checked) return std::unexpected(checked.error());
  return request;
}

}  // namespace slowpath::cli::testing
