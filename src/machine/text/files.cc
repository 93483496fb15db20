// SPDX-License-Identifier: Apache-2.0
// Files and directories of texts: opened, bounded, and given to read_text().
#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "machine/text.h"

namespace slowpath::machine {
namespace {

namespace fs = std::filesystem;

/// Whose text a file is, as far as it says so itself.
struct Owner {
  std::string file, name;
  std::optional<Platform> platform;
};

/// Facts of all files, and whose each of them is.
struct Reading {
  MachineFacts facts;
  std::vector<Owner> owners;
};

/// "Web7.example.com" and "web7" are one host.
std::string short_name(std::string_view name) {
  std::string text(name.substr(0, name.find('.')));
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool are_of_two_hosts(const Owner& one, const Owner& other) {
  if (one.platform && other.platform && one.platform != other.platform) return true;
  return !one.name.empty() && !other.name.empty() && short_name(one.name) != short_name(other.name);
}

std::string named(const Owner& owner) {
  const std::string_view system = owner.platform ? to_string(*owner.platform) : "a system";
  return owner.name.empty() ? fmt::format("{} is of {}", owner.file, system)
                            : fmt::format("{} is of {}", owner.file, owner.name);
}

/// Facts of two hosts in one record would be judged as one host, wrongly. Within one file that is
/// only noted (note_platform()): a session may hop, but whoever made files knew what is in each.
Result<void> check_owners(const std::vector<Owner>& owners, const std::string& paths) {
  for (std::size_t i = 1; i < owners.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (are_of_two_hosts(owners[j], owners[i]))
        return fail(ErrorKind::input, fmt::format("cannot take {} for one host's", paths),
                    fmt::format("{}, and {}", named(owners[j]), named(owners[i])),
                    "give the texts of each host apart");
    }
  }
  return {};
}

Owner owner_of(const std::string& shown, const std::string& content) {
  MachineFacts alone;
  read_text(shown, content, alone);
  return {shown, alone.name, alone.platform};
}

Result<void> read_file(const std::string& path, const std::string& shown, Reading& reading) {
  MachineFacts& facts = reading.facts;
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
  reading.owners.push_back(owner_of(shown, content));
  read_text(shown, content, facts);
  return {};
}

Result<void> read_directory(const std::string& path, Reading& reading) {
  MachineFacts& facts = reading.facts;
  std::vector<fs::path> files;
  std::size_t folders = 0;
  std::error_code error;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored)) files.push_back(entry->path());
    if (entry->is_directory(ignored)) ++folders;
  }
  if (error) {
    return fail(ErrorKind::input, "cannot list " + path, error.message(),
                "check the path and its permissions");
  }
  if (files.empty())
    return fail(ErrorKind::input, "cannot read " + path,
                folders == 0 ? "it is an empty directory" : "it holds directories and no file",
                "give files that hold what commands of one host printed");
  if (folders > 0)
    facts.unread.push_back(
        {fmt::format("{} {} in {}", folders, folders == 1 ? "directory" : "directories", path),
         "only the files of a directory are read",
         {}});
  std::ranges::sort(files);
  for (std::size_t at = 0; at < files.size(); ++at) {
    const std::string shown = files[at].filename().string();
    if (at >= kMaxTextFiles) {
      facts.unread.push_back({fmt::format("{} more files of {}", files.size() - at, path),
                              fmt::format("only {} files are read", kMaxTextFiles),
                              {}});
      break;
    }
    const auto read = read_file(files[at].string(), shown, reading);
    if (!read) facts.unread.push_back({shown, read.error().cause, {}});
  }
  return {};
}

}  // namespace

Result<MachineFacts> read_texts(std::span<const std::string> paths) {
  Reading reading;
  for (const std::string& path : paths) {
    std::error_code error;
    const auto read = path == "-" ? read_file("/dev/stdin", "standard input", reading)
                      : fs::is_directory(path, error)
                          ? read_directory(path, reading)
                          : read_file(path, fs::path(path).filename().string(), reading);
    if (!read) return std::unexpected(read.error());
  }
  const auto one_host = check_owners(reading.owners, fmt::format("{}", fmt::join(paths, " and ")));
  if (!one_host) return std::unexpected(one_host.error());
  return std::move(reading.facts);
}

}  // namespace slowpath::machine
