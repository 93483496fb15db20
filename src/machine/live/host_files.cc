// SPDX-License-Identifier: Apache-2.0
#include "machine/live/host_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <memory>
#include <system_error>

namespace slowpath::machine {
namespace {

constexpr std::size_t kMostBytes = 32 << 20;
constexpr std::string_view kSpace = " \t\r\n";

}  // namespace

std::expected<std::string, int> HostFiles::read(const std::string& path) const {
  const int fd = open((root_ + path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return std::unexpected(errno);
  std::string text;
  std::array<char, 16 << 10> part{};
  ssize_t got = 0;
  while (text.size() <= kMostBytes && (got = ::read(fd, part.data(), part.size())) > 0) {
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  const int error = got < 0 ? errno : text.size() > kMostBytes ? EFBIG : 0;
  close(fd);
  if (error != 0) return std::unexpected(error);
  return text;
}

std::string HostFiles::word(const std::string& path) const {
  const auto text = read(path);
  return text ? std::string{trimmed(*text)} : std::string{};
}

std::expected<std::vector<std::string>, int> HostFiles::list(const std::string& path) const {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory{opendir((root_ + path).c_str()), closedir};
  if (!directory) return std::unexpected(errno);
  std::vector<std::string> names;
  while (const dirent* entry = readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::ranges::sort(names);
  return names;
}

std::string HostFiles::link_name(const std::string& path) const {
  std::array<char, 4096> target{};
  const ssize_t size = readlink((root_ + path).c_str(), target.data(), target.size());
  if (size <= 0) return {};
  const std::string_view whole{target.data(), static_cast<std::size_t>(size)};
  return std::string{whole.substr(whole.rfind('/') + 1)};
}

bool HostFiles::is_readable_kind(const std::string& path) const {
  struct stat status{};
  if (stat((root_ + path).c_str(), &status) != 0) return false;
  return S_ISREG(status.st_mode) && (status.st_mode & (S_IRUSR | S_IRGRP | S_IROTH)) != 0;
}

std::string proc_net(const HostFiles& files, std::string_view name) {
  const std::string of_thread = "/proc/thread-self/net/" + std::string{name};
  return files.is_readable_kind(of_thread) ? of_thread : "/proc/net/" + std::string{name};
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(kSpace);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!(text = trimmed(text)).empty()) {
    const auto end = std::min(text.find_first_of(kSpace), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

void add_unread(std::vector<Unread>& list, std::string what, int error,
                std::string_view capability) {
  std::string why = std::generic_category().message(error);
  if (!why.empty()) why[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(why[0])));
  const bool refused = error == EPERM || error == EACCES;
  list.push_back({std::move(what), std::move(why), refused ? std::string{capability} : ""});
}

}  // namespace slowpath::machine
