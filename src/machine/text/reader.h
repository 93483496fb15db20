// SPDX-License-Identifier: Apache-2.0
// A recogniser: it knows the output of one command, or of a family that shares a shape, by its
// content, and reads it into the facts. One file each (recognise_*.cc); cmake/Table.cmake makes
// the table of them, so there is no registry to edit. Recognisers know nothing of one another, so
// what one of them takes for its own must be told by no other's output.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "facts/machine.h"
#include "machine/text/command.h"
#include "machine/text/lines.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {

/// Lines that one command printed. When recognising: from the line in question to the end.
struct Output {
  Lines lines;
  const Command& command;  // the command line above it; without words where none stands there
  Words words{};           // of the first line, when recognising; else empty
};

/// Where readers put what they understood, and what not.
class Notes {
 public:
  /// At most so many lines of one file are listed; one more entry then says how many there were.
  static constexpr std::uint32_t kMaxNotUnderstood = 200;

  Notes(std::string_view file, MachineFacts& facts) : file_(file), facts_(facts) {}

  [[nodiscard]] MachineFacts& facts() { return facts_; }
  [[nodiscard]] Origin at(const Line& line) const;

  void setting(std::string key, std::string_view value, const Line& line);
  void counter(std::string key, std::uint64_t value, const Line& line);
  /// The interface of that name, made where it is new. Valid until the next call.
  InterfaceFacts& interface(std::string_view name, const Line& line);
  void package(const Line& line);
  void unread(std::string_view what, std::string_view why, std::string_view allow);
  /// The command whose output follows.
  void set_command(const Command& command);
  /// Blank lines and rules are not listed. A complaint of the command itself ("Operation not
  /// permitted") is something unread, and told so.
  void not_understood(const Line& line);
  /// For every line that is not blank: `read` says whether it understood.
  template <typename Read>
  void each_line(const Output& output, Read read) {
    for (const Line& line : output.lines) {
      if (!line.text.empty() && !read(line)) not_understood(line);
    }
  }

 private:
  std::string file_;
  MachineFacts& facts_;
  std::string command_;
  std::uint32_t not_understood_count_ = 0;
};

struct Recogniser {
  std::string_view name;             // of the file: "ethtool_features"
  std::optional<Platform> platform;  // nothing: several print it
  /// Whether the first line (never blank) begins an output of this kind; later lines may be looked
  /// at, a bounded number of them.
  bool (*recognises)(const Output& rest) = nullptr;
  void (*read)(const Output& output, Notes& notes) = nullptr;
};

/// All recognisers, sorted by name. The table is generated from the files recognise_*.cc.
std::span<const Recogniser* const> all_recognisers();

/// The name of an interface that an output does not tell, so that what it says is kept.
inline constexpr std::string_view kUnnamedInterface = "unnamed";

/// The argument of the command as the name of an interface, else kUnnamedInterface.
std::string_view interface_of(const Command& command);

}  // namespace slowpath::machine::text
