// SPDX-License-Identifier: Apache-2.0
// Declaring the options of a command. CLI11 does the work, and its words are kept; its header takes
// seconds to compile in each of the dozens of files that declare options, so only command_line.cc
// includes it, and main.cc, which parses.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace slowpath::cli {

/// One declared option. A handle, cheap to copy; valid while the program's command line lives. Each
/// call answers with the same option, so that calls can be chained.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}

  Option required() const;
  /// The headline of --help below which it is listed; empty hides it.
  Option group(std::string_view name) const;
  /// What stands for its value in --help.
  Option type_name(std::string_view name) const;

  /// The value is one of these words.
  Option one_of(std::initializer_list<const char*> words) const;
  /// The value is a number from `least` to `most`. T: int, unsigned, std::size_t or double.
  template <typename T>
  Option range(T least, T most) const;
  Option positive() const;
  /// `check` answers with the sentence that refuses the text, or with nothing.
  Option check(std::function<std::string(const std::string&)> check) const;

  Option excludes(Option other) const;
  Option needs(Option other) const;

  /// Each use takes one value: more of them need the option again.
  Option one_value_each() const;
  /// May be given without a value, which is then this one.
  Option or_else(std::string_view value) const;
  /// --help shows the value that the variable has now.
  Option capture_default_str() const;
  Option envname(std::string_view name) const;

  /// Whether the command line had it. After parsing.
  [[nodiscard]] bool given() const;

 private:
  CLI::Option* option_;
};

/// The options and subcommands of one command. A handle, as Option is. `name` is as CLI11 reads it:
/// "-p,--port", "--json", "FILE"; variables outlive the parsing.
class CommandLine {
 public:
  explicit CommandLine(CLI::App* app) : app_(app) {}

  /// T: what command_line.cc instantiates; others do not link. A vector takes many values.
  template <typename T>
  Option add_option(const std::string& name, T& value, const std::string& description) const;
  /// `take` gets the text, after the checks of the option.
  Option add_option_function(const std::string& name, std::function<void(const std::string&)> take,
                             const std::string& description = {}) const;
  /// T: bool, or a string for a flag that may have a value: "--timestamps{what it is without}".
  template <typename T>
  Option add_flag(const std::string& name, T& value, const std::string& description) const;
  Option add_flag_function(const std::string& name, std::function<void()> take) const;
  /// One that was declared before.
  [[nodiscard]] Option option(const std::string& name) const;

  /// Options of which exactly one is to be given.
  [[nodiscard]] CommandLine add_choice(const std::string& headline) const;

  /// A command of this one; `examples` stand below its options.
  [[nodiscard]] CommandLine add_subcommand(std::string_view name, std::string_view summary,
                                           std::string_view examples) const;
  /// Called once this command was parsed.
  void on_parsed(std::function<void()> callback) const;
  /// At most one subcommand is given.
  void take_one_subcommand() const;

  /// The text of --help, for a program that is called `program`.
  [[nodiscard]] std::string help(const std::string& program) const;

 private:
  CLI::App* app_;
};

}  // namespace slowpath::cli
