// SPDX-License-Identifier: Apache-2.0
// The files in which the kernel tells of itself (/proc, /sys) and /etc/os-release: whole, bounded,
// with the reason where they cannot be read.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "facts/machine.h"

namespace slowpath::machine {

class HostFiles {
 public:
  /// `root` goes in front of every path.
  explicit HostFiles(std::string root = {}) : root_(std::move(root)) {}

  /// The whole file; the error is an errno (EFBIG above 32 MiB).
  [[nodiscard]] std::expected<std::string, int> read(const std::string& path) const;
  /// The file without the space around it; empty where it cannot be read.
  [[nodiscard]] std::string word(const std::string& path) const;
  /// The names in a directory, sorted; the error is an errno.
  [[nodiscard]] std::expected<std::vector<std::string>, int> list(const std::string& path) const;
  /// The last part of the place a symbolic link leads to; empty where it is none.
  [[nodiscard]] std::string link_name(const std::string& path) const;
  /// Whether anybody is meant to read it: some files of /proc/sys can only be written.
  [[nodiscard]] bool is_readable_kind(const std::string& path) const;

 private:
  std::string root_;
};

/// /proc/net of the calling thread's network namespace; /proc/net alone is the main thread's.
std::string proc_net(const HostFiles& files, std::string_view name);

/// Text without the white space around it.
std::string_view trimmed(std::string_view text);
/// The words between white space.
std::vector<std::string_view> words_of(std::string_view text);
/// The lines, without their ends.
std::vector<std::string_view> lines_of(std::string_view text);

/// Notes what could not be read. `capability` is named only where the kernel refused for want of
/// one.
void add_unread(std::vector<Unread>& list, std::string what, int error,
                std::string_view capability);

}  // namespace slowpath::machine
