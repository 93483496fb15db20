// SPDX-License-Identifier: Apache-2.0
// The options of `slowpath fetch`, and what they mean for a fetch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/answer_options.h"
#include "cli/command_line.h"
#include "probe/fetch.h"

namespace slowpath::cli {

/// As typed; empty where nothing was.
struct FetchChoices : AnswerOptions {
  std::string url, expect, expected_file, upload_file, capture_file, interface;
  std::string user, authorities_file, http_version, connect_timeout, stall_timeout, timeout;
  std::string spool = "4GiB";
  std::vector<std::string> headers;
  std::uint32_t repeats = 3;
  bool insecure = false, ipv4 = false, ipv6 = false;
};

void declare_fetch(const CommandLine& line, FetchChoices& options);

/// Errors: no URL, no hash, no size, no time (usage).
Result<probe::FetchOptions> fetch_options_of(const FetchChoices& options);

}  // namespace slowpath::cli
