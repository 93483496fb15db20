// SPDX-License-Identifier: Apache-2.0
// Files and directories of texts: opened, bounded, and given to read_text().
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "machine/text.h"

namespace slowpath::machine {
namespace {

namespace fs = std::filesystem;

Result<void> read_file(const std::string& path, const std::string& shown, MachineFacts& facts) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string content;
  constexpr std::size_t kPiece = 1 << 16;
  bool is_cut = false;
  while (file && !is_cut) {
    const std::size_t before = content.size();
    content.resize(before + kPiece);
    file.read(content.data() + before, kPiece);
    content.resize(before + static_cast<std::size_t>(file.gcount()));
    is_cut = content.size() > kMaxTextBytes;
  }
  if (!file.eof() && !is_cut) {
    return fail(ErrorKind::input, "cannot read " + path,
                errno != 0 ? std::strerror(errno) : "it could not be read to its end",
                "give a text file that commands of the host printed, or a directory of such files");
  }
  if (is_cut) {
    content.resize(kMaxTextBytes);
    facts.unread.push_back(
        {"the rest of " + shown, fmt::format("it is longer than {} MiB", kMaxTextBytes >> 20), {}});
  }
  read_text(shown, content, facts);
  return {};
}

Result<void> read_directory(const std::string& path, MachineFacts& facts) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored)) files.push_back(entry->path());
  }
  if (error) {
    return fail(ErrorKind::input, "cannot list " + path, error.message(),
                "check the path and its permissions");
  }
  std::ranges::sort(files);
  for (std::size_t at = 0; at < files.size(); ++at) {
    const std::string shown = files[at].filename().string();
    if (at >= kMaxTextFiles) {
      facts.unread.push_back({fmt::format("{} more files of {}", files.size() - at, path),
                              fmt::format("only {} files are read", kMaxTextFiles),
                              {}});
      break;
    }
    const auto read = read_file(files[at].string(), shown, facts);
    if (!read) facts.unread.push_back({shown, read.error().cause, {}});
  }
  return {};
}

}  // namespace

Result<MachineFacts> read_texts(std::span<const std::string> paths) {
  MachineFacts facts;
  for (const std::string& path : paths) {
    std::error_code error;
    const auto read = fs::is_directory(path, error)
                          ? read_directory(path, facts)
                          : read_file(path, fs::path(path).filename().string(), facts);
    if (!read) return std::unexpected(read.error());
  }
  return facts;
}

}  // namespace slowpath::machine
