// SPDX-License-Identifier: Apache-2.0
// `calc ports`: how many connections a second a range of source ports allows.
#include "detect/arithmetic/ports.h"

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/format.h"
#include "base/result.h"
#include "cli/calc/calculation.h"
#include "cli/calc/sheet.h"
#include "cli/command_line.h"

namespace slowpath::cli::calc {
namespace {

using namespace slowpath::arithmetic;

struct PortOptions {
  std::uint32_t ports = static_cast<std::uint32_t>(kLinuxPorts);
  double time_wait_s = kLinuxTimeWaitSeconds;
};

/// A budget is cut, never rounded up: whole from 10 a second on, two decimals below.
Cell per_second_cell(double a_second) {
  const double shown = a_second >= 10 ? std::floor(a_second) : std::floor(a_second * 100) / 100;
  return {a_second >= 10 ? format_count(whole(shown)) : fmt::format("{:.2f}", shown),
          json_number(a_second)};
}

Row usual_row(std::string_view name, double ports, double time_wait_s) {
  return {text_cell(std::string(name)), count_cell(ports), seconds_cell(time_wait_s),
          per_second_cell(connections_per_second(ports, time_wait_s))};
}

Result<Sheet> compute_ports(const PortOptions& options) {
  const double a_second = connections_per_second(options.ports, options.time_wait_s);
  const Cell cell = per_second_cell(a_second);
  Sheet sheet(
      "ports",
      fmt::format("{} ports and a TIME_WAIT of {} allow {} new connections a second",
                  format_count(options.ports), format_duration(options.time_wait_s), cell.text));
  sheet.row("ports", "ports", count_cell(options.ports));
  sheet.row("TIME_WAIT", "time_wait_s", seconds_cell(options.time_wait_s));
  sheet.row("connections a second", "connections_per_second", cell);
  sheet.table("Usual settings", "usual",
              {{"system", "system"},
               {"ports", "ports"},
               {"TIME_WAIT", "time_wait_s"},
               {"a second", "connections_per_second"}},
              {usual_row("Linux", kLinuxPorts, kLinuxTimeWaitSeconds),
               usual_row("Windows", kWindowsPorts, kWindowsTimeWaitSeconds),
               usual_row("Windows, TcpTimedWaitDelay 240", kWindowsPorts, 240),
               usual_row("Azure SNAT, per VM", kAzureSnatPorts, 240)});
  sheet.note("From one address to one address and port, closed by the side that opened them.");
  return sheet;
}

Compute declare_ports(const CommandLine& line) {
  auto options = std::make_shared<PortOptions>();
  line.add_option("--range", options->ports, "Number of source ports [28232, Linux' default]")
      .range(1U, 65535U)
      .type_name("COUNT");
  add_duration(line, "--time-wait", options->time_wait_s, "Time in TIME_WAIT [60s, as Linux]");
  return [options] { return compute_ports(*options); };
}

}  // namespace

extern const Calculation ports;
const Calculation ports{.name = "ports",
                        .summary = "connections a second that a range of source ports allows",
                        .examples =
                            "  slowpath calc ports\n"
                            "  slowpath calc ports --range 16384 --time-wait 120s\n",
                        .declare = declare_ports};

}  // namespace slowpath::cli::calc
