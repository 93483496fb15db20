// SPDX-License-Identifier: Apache-2.0
// What `slowpath test` can be told. Letters are iperf3's where it has the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/command_line.h"
#include "cli/test/path_tests.h"
#include "probe/session.h"
#include "probe/transfer_request.h"

namespace slowpath::cli::testing {

/// As typed; absent where nothing was.
struct Options {
  std::string host, bind_host;
  std::uint16_t port = probe::kDefaultPort;
  bool only_ipv4 = false, only_ipv6 = false;
  std::optional<std::string> token, token_file;

  std::optional<std::string> time, bytes, blocks, omit, window, block, rate, pacing;
  std::string congestion_control, content = "random", sweep;
  std::uint32_t streams = 1;
  std::optional<std::uint32_t> mss;
  bool forward = false, reverse = false, both = false;
  bool zero_copy = false, no_delay = false, no_verify = false, no_ceiling = false;

  bool json = false, all = false, quiet = false;
  std::string save, against, fail_on, color = "auto";

  PathTestOptions path;
};

void declare(const CommandLine& line, Options& options);

/// Where to connect.
Result<probe::Target> target_of(const Options& options);
/// The transfer that is repeated for each way. Kind usage where values or options contradict.
Result<probe::TransferRequest> request_of(const Options& options);

}  // namespace slowpath::cli::testing
