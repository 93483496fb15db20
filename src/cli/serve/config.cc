// SPDX-License-Identifier: Apache-2.0
// The file of `slowpath serve --config`: the long options as keys, nothing else.
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/tomlplusplus.h"
#include "cli/serve/options.h"

namespace slowpath::cli::serving {
namespace {

/// Puts the value there unless the command line did. False: it is of another type or range.
template <typename T>
bool fill(const toml::node& node, std::optional<T>& option) {
  if constexpr (std::is_same_v<T, std::string>) {
    const auto text = node.value_exact<std::string>();
    if (text && !option) option = *text;
    return text.has_value();
  } else {
    const auto number = node.value_exact<std::int64_t>();
    if (!number || *number < 0 || !std::in_range<T>(*number)) return false;
    if (!option) option = static_cast<T>(*number);
    return true;
  }
}

/// None where the key is unknown.
std::optional<bool> fill_by_name(std::string_view key, const toml::node& node, Options& options) {
  if (key == "port") return fill(node, options.port);
  if (key == "bind") return fill(node, options.host);
  if (key == "token") return fill(node, options.token);
  if (key == "token-file") return fill(node, options.token_file);
  if (key == "clients") return fill(node, options.clients);
  if (key == "streams") return fill(node, options.streams);
  if (key == "max-rate") return fill(node, options.rate);
  if (key == "max-time") return fill(node, options.time);
  if (key == "user") return fill(node, options.user);
  if (key == "open") {
    const auto flag = node.value_exact<bool>();
    options.open = options.open || flag.value_or(false);
    return flag.has_value();
  }
  return std::nullopt;
}

}  // namespace

Result<void> read_config(Options& options) {
  if (options.config.empty()) return {};
  const auto refuse = [&](std::string cause) {
    return fail(ErrorKind::usage, "cannot use " + options.config, std::move(cause));
  };
  const auto unreadable = [&](std::string cause) {
    return fail(ErrorKind::input, "cannot read " + options.config, std::move(cause));
  };
  std::error_code unknown;
  if (std::filesystem::is_directory(options.config, unknown))
    return unreadable("it is a directory");
  const toml::parse_result parsed = toml::parse_file(options.config);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return unreadable(error.source().begin ? fmt::format("{} (line {})", error.description(),
                                                         error.source().begin.line)
                                           : std::string{error.description()});
  }
  for (const auto& [key, node] : parsed.table()) {
    const auto filled = fill_by_name(key.str(), node, options);
    if (!filled) return refuse(fmt::format("there is no option \"{}\"", key.str()));
    if (!*filled) return refuse(fmt::format("\"{}\" has a value of the wrong kind", key.str()));
  }
  return {};
}

}  // namespace slowpath::cli::serving
