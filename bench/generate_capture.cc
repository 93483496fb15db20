// SPDX-License-Identifier: Apache-2.0
// Makes captures for benchmarks: TCP as a tap at busy servers would show it, the same for the same
// options and seed, millions of packets a second. `generate_capture --help` lists the options.
#include <fcntl.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "generate/attack.h"
#include "generate/capture_file.h"
#include "generate/traffic.h"

namespace {

using namespace slowpath::bench;

struct Options {
  TrafficOptions traffic;
  std::string output = "-";
  std::uint32_t snap_len = 0;
  bool pcapng = false;
  bool no_timestamps = false;
  bool no_sack = false;
  std::string attack;
};

void declare(CLI::App& app, Options& options) {
  TrafficOptions& traffic = options.traffic;
  app.add_option("output", options.output, "file to write; - is stdout")->capture_default_str();
  app.add_option("--packets", traffic.packets, "packets to write")->capture_default_str();
  app.add_option("--connections", traffic.connections, "connections live at once")
      ->capture_default_str()
      ->check(CLI::Range(1U, 100'000'000U));
  app.add_option("--snap", options.snap_len, "snap length; 0 keeps whole frames")
      ->capture_default_str()
      ->check(CLI::Range(0U, 262'144U));
  app.add_option("--loss", traffic.loss, "share of data segments lost")
      ->check(CLI::Range(0.0, 0.5));
  app.add_option("--ipv6", traffic.ipv6, "share of hosts on IPv6")->check(CLI::Range(0.0, 1.0));
  app.add_option("--uploads", traffic.uploads, "share of connections that send to the server")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--rate", traffic.packets_per_second, "packets per second of capture, about")
      ->capture_default_str()
      ->check(CLI::Range(1.0, 1e8));
  app.add_option("--segments", traffic.transfer_segments, "data segments of a transfer, mean")
      ->capture_default_str()
      ->check(CLI::Range(1.0, 1e6));
  app.add_option("--transfers", traffic.transfers_per_connection, "transfers of a connection, mean")
      ->capture_default_str()
      ->check(CLI::Range(1.0, 6e4));
  app.add_option("--window", traffic.window, "segments in flight at most: a power of two to 64")
      ->capture_default_str()
      ->check(CLI::IsMember({2, 4, 8, 16, 32, 64}));
  app.add_option("--attack", options.attack, "instead: what wants to exhaust the reader")
      ->check(CLI::IsMember(std::vector<std::string>(kAttackNames.begin(), kAttackNames.end())));
  app.add_option("--seed", traffic.seed, "of everything random")->capture_default_str();
  app.add_flag("--pcapng", options.pcapng, "write pcapng instead of pcap");
  app.add_flag("--no-timestamps", options.no_timestamps, "no TCP timestamps");
  app.add_flag("--no-sack", options.no_sack, "no SACK");
}

int generate(const Options& options) {
  const bool to_stdout = options.output == "-";
  const int fd = to_stdout
                     ? STDOUT_FILENO
                     : open(options.output.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
  if (fd < 0) {
    std::fprintf(stderr, "generate_capture: cannot write %s: %s\n", options.output.c_str(),
                 std::strerror(errno));
    return 1;
  }
  CaptureFile file(fd, options.pcapng ? FileFormat::pcapng : FileFormat::pcap, options.snap_len);
  if (const auto attack = attack_kind_of(options.attack)) {
    write_attack(*attack, options.traffic.packets, options.traffic.seed, file);
  } else {
    Traffic(options.traffic, file).run();
  }
  file.flush();
  if (!to_stdout && close(fd) != 0) {
    std::fprintf(stderr, "generate_capture: cannot finish %s: %s\n", options.output.c_str(),
                 std::strerror(errno));
    return 1;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Makes a capture of TCP traffic for benchmarks.");
  Options options;
  declare(app, options);
  CLI11_PARSE(app, argc, argv);
  options.traffic.timestamps = !options.no_timestamps;
  options.traffic.sack = !options.no_sack;
  return generate(options);
}
