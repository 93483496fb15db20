// SPDX-License-Identifier: Apache-2.0
#include "cli/calc/calculation.h"

#include <string>
#include <string_view>

#include "base/format.h"
#include "base/result.h"
#include "cli/command_line.h"

namespace slowpath::cli::calc {
namespace {

Result<double> read_size(std::string_view text) {
  const auto size = parse_size(text);
  if (!size) return std::unexpected(size.error());
  return static_cast<double>(*size);
}

Result<double> read_duration(std::string_view text) {
  const auto duration = parse_duration(text);
  if (!duration) return std::unexpected(duration.error());
  return to_seconds(*duration);
}

Option add_quantity(const CommandLine& line, const char* name, double& value,
                    const char* description, const char* type,
                    Result<double> (*parse)(std::string_view)) {
  const auto check = [parse](const std::string& text) -> std::string {
    const auto parsed = parse(text);
    if (!parsed) return parsed.error().message();
    return *parsed > 0 ? std::string{} : "'" + text + "' is not above zero";
  };
  // The check runs first, so that the value is there.
  return line
      .add_option_function(
          name, [&value, parse](const std::string& text) { value = parse(text).value_or(0); },
          description)
      .check(check)
      .type_name(type);
}

}  // namespace

Option add_rate(const CommandLine& line, const char* name, double& value_bps,
                const char* description) {
  return add_quantity(line, name, value_bps, description, "RATE", parse_rate);
}

Option add_size(const CommandLine& line, const char* name, double& value_bytes,
                const char* description) {
  return add_quantity(line, name, value_bytes, description, "SIZE", read_size);
}

Option add_duration(const CommandLine& line, const char* name, double& value_s,
                    const char* description) {
  return add_quantity(line, name, value_s, description, "TIME", read_duration);
}

Option add_share(const CommandLine& line, const char* name, double& value,
                 const char* description) {
  return add_quantity(line, name, value, description, "SHARE", parse_share);
}

}  // namespace slowpath::cli::calc
