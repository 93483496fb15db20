// SPDX-License-Identifier: Apache-2.0
// Any text as each of the small things that people and kernels write: amounts, times, connections,
// settings, command lines, counters, lines of earlier results. They are refused or mean something.
// The first byte picks which.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/format.h"
#include "cli/lab/scenarios.h"
#include "cli/selection.h"
#include "lab/command.h"
#include "lab/counters.h"
#include "report/accuracy.h"
#include "require.h"

namespace {

using namespace slowpath;
using fuzz::require;

void read_amount(std::string_view text) {
  if (const auto rate = parse_rate(text)) require(*rate >= 0 && *rate <= 1e18);
  if (const auto size = parse_size(text)) require(*size <= std::uint64_t{1} << 63);
  if (const auto share = parse_share(text)) require(*share >= 0 && *share <= 1);
}

void read_time(std::string_view text) {
  (void)parse_duration(text);
  (void)cli::parse_time_bound(text);
  if (const auto time = parse_time_utc(text)) {
    // Written again and read again, it is the same to the millisecond that is written.
    const auto again = parse_time_utc(format_time_utc(*time));
    require(again && *again <= *time && *time - *again < std::chrono::milliseconds(1));
  }
}

void read_connection(std::string_view text) {
  const auto choice = cli::parse_connection(text);
  const auto* ends = choice ? std::get_if<cli::Ends>(&*choice) : nullptr;
  if (ends == nullptr) return;
  const auto again = cli::parse_connection(to_string(ends->a) + "-" + to_string(ends->b));
  require(again && std::get<cli::Ends>(*again).a == ends->a);
}

void read_counters(std::string_view text) {
  lab::Counters counters;
  lab::read_snmp(text, counters);
  lab::read_dev(text, counters);
  lab::read_snmp6(text, counters);
  require(counters.size() <= text.size());
}

void read_graded(std::string_view text) {
  const auto capture = report::graded_capture_of(std::string(text));
  if (!capture) return;
  const std::string line = report::to_line(*capture);
  const auto again = report::graded_capture_of(line);
  require(again && report::to_line(*again) == line);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 6) {
    case 0:
      read_amount(text);
      break;
    case 1:
      read_time(text);
      break;
    case 2:
      read_connection(text);
      break;
    case 3:
      (void)lab::split_command_line(text);
      (void)cli::parse_overrides({std::string(text)});
      break;
    case 4:
      read_counters(text);
      break;
    default:
      read_graded(text);
  }
  return 0;
}
