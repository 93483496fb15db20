// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace slowpath::cli {

Option Option::required() const { return Option{option_->required()}; }

Option Option::group(std::string_view name) const {
  return Option{option_->group(std::string{name})};
}

Option Option::type_name(std::string_view name) const {
  return Option{option_->type_name(std::string{name})};
}

Option Option::one_of(std::initializer_list<const char*> words) const {
  return Option{option_->check(CLI::IsMember(words))};
}

template <typename T>
Option Option::range(T least, T most) const {
  return Option{option_->check(CLI::Range(least, most))};
}

template Option Option::range(int, int) const;
template Option Option::range(unsigned, unsigned) const;
template Option Option::range(std::size_t, std::size_t) const;
template Option Option::range(double, double) const;

Option Option::positive() const { return Option{option_->check(CLI::PositiveNumber)}; }

Option Option::check(std::function<std::string(const std::string&)> check) const {
  return Option{option_->check(std::move(check))};
}

Option Option::excludes(Option other) const { return Option{option_->excludes(other.option_)}; }

Option Option::needs(Option other) const { return Option{option_->needs(other.option_)}; }

Option Option::one_value_each() const { return Option{option_->allow_extra_args(false)}; }

Option Option::or_else(std::string_view value) const {
  return Option{option_->expected(0, 1)->default_str(std::string{value})};
}

Option Option::capture_default_str() const { return Option{option_->capture_default_str()}; }

Option Option::envname(std::string_view name) const {
  return Option{option_->envname(std::string{name})};
}

bool Option::given() const { return option_->count() > 0; }

template <typename T>
Option CommandLine::add_option(const std::string& name, T& value,
                               const std::string& description) const {
  return Option{app_->add_option(name, value, description)};
}

Option CommandLine::add_option_function(const std::string& name,
                                        std::function<void(const std::string&)> take,
                                        const std::string& description) const {
  return Option{app_->add_option_function<std::string>(name, std::move(take), description)};
}

template <typename T>
Option CommandLine::add_flag(const std::string& name, T& value,
                             const std::string& description) const {
  return Option{app_->add_flag(name, value, description)};
}

Option CommandLine::add_flag_function(const std::string& name, std::function<void()> take) const {
  return Option{
      app_->add_flag_function(name, [take = std::move(take)](std::int64_t /*times*/) { take(); })};
}

Option CommandLine::option(const std::string& name) const { return Option{app_->get_option(name)}; }

CommandLine CommandLine::add_choice(const std::string& headline) const {
  CLI::App* group = app_->add_option_group(headline, "one of");
  group->require_option(1);
  return CommandLine{group};
}

CommandLine CommandLine::add_subcommand(std::string_view name, std::string_view summary,
                                        std::string_view examples) const {
  CLI::App* added = app_->add_subcommand(std::string{name}, std::string{summary});
  added->footer(fmt::format("Examples:\n{}", examples));
  return CommandLine{added};
}

void CommandLine::on_parsed(std::function<void()> callback) const {
  app_->callback(std::move(callback));
}

void CommandLine::take_one_subcommand() const { app_->require_subcommand(0, 1); }

std::string CommandLine::help(const std::string& program) const { return app_->help(program); }

template Option CommandLine::add_option(const std::string&, std::string&, const std::string&) const;
template Option CommandLine::add_option(const std::string&, std::vector<std::string>&,
                                        const std::string&) const;
template Option CommandLine::add_option(const std::string&, std::uint16_t&,
                                        const std::string&) const;
template Option CommandLine::add_option(const std::string&, std::uint32_t&,
                                        const std::string&) const;
template Option CommandLine::add_option(const std::string&, std::uint64_t&,
                                        const std::string&) const;
template Option CommandLine::add_option(const std::string&, int&, const std::string&) const;
template Option CommandLine::add_option(const std::string&, double&, const std::string&) const;
template Option CommandLine::add_option(const std::string&, std::optional<std::string>&,
                                        const std::string&) const;
template Option CommandLine::add_option(const std::string&, std::optional<std::uint16_t>&,
                                        const std::string&) const;
template Option CommandLine::add_option(const std::string&, std::optional<std::uint32_t>&,
                                        const std::string&) const;
template Option CommandLine::add_option(const std::string&, std::optional<std::uint64_t>&,
                                        const std::string&) const;
template Option CommandLine::add_option(const std::string&, std::optional<std::int64_t>&,
                                        const std::string&) const;
template Option CommandLine::add_flag(const std::string&, bool&, const std::string&) const;
template Option CommandLine::add_flag(const std::string&, std::string&, const std::string&) const;

}  // namespace slowpath::cli
