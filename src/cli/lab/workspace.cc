// SPDX-License-Identifier: Apache-2.0
#include "cli/lab/workspace.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/core.h>

namespace slowpath::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "slowpath-lab-";
constexpr std::size_t kRandomLetters = 6;  // of mkdtemp

std::string temporary_root() {
  const char* root = std::getenv("TMPDIR");
  return root == nullptr || *root == '\0' ? "/tmp" : root;
}

/// The process that made a folder of this name; 0 if it is none of ours.
pid_t maker_of(std::string_view name) {
  if (!name.starts_with(kPrefix)) return 0;
  name.remove_prefix(kPrefix.size());
  pid_t pid = 0;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data(), end, pid);
  const bool fits = error == std::errc{} && pid > 0 && stop != end && *stop == '-' &&
                    static_cast<std::size_t>(end - stop) == kRandomLetters + 1;
  return fits ? pid : 0;
}

bool is_own_folder(const fs::path& path) {
  struct stat status = {};
  return lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid();
}

bool is_alive(pid_t pid) { return kill(pid, 0) == 0 || errno != ESRCH; }

Result<void> make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (!error) return {};
  return fail(ErrorKind::environment, fmt::format("cannot make the folder {}", path),
              error.message());
}

}  // namespace

Result<Workspace> Workspace::make(const std::string& keep) {
  if (!keep.empty()) {
    const Result<void> made = make_folder(keep);
    if (!made) return std::unexpected(made.error());
    return Workspace(keep, false);
  }
  std::string path = fmt::format("{}/{}{}-XXXXXX", temporary_root(), kPrefix, getpid());
  if (mkdtemp(path.data()) == nullptr) {
    return fail(ErrorKind::environment,
                fmt::format("cannot make a folder for captures in {}", temporary_root()),
                std::strerror(errno), "TMPDIR may name another, or --keep");
  }
  return Workspace(std::move(path), true);
}

Workspace::Workspace(Workspace&& other) noexcept
    : path_(std::exchange(other.path_, {})), temporary_(std::exchange(other.temporary_, false)) {}

Workspace::~Workspace() {
  if (!temporary_) return;
  std::error_code ignored;  // The next start finds it and tries again.
  fs::remove_all(path_, ignored);
}

Result<std::string> Workspace::folder(const std::string& name) const {
  std::string path = path_ + "/" + name;
  const Result<void> made = make_folder(path);
  if (!made) return std::unexpected(made.error());
  return path;
}

void Workspace::discard(const std::string& folder) const {
  if (!temporary_) return;
  std::error_code ignored;
  fs::remove_all(folder, ignored);
}

std::vector<std::string> remove_leftovers() {
  std::vector<std::string> removed;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(temporary_root(), error)) {
    const pid_t maker = maker_of(entry.path().filename().native());
    if (maker == 0 || is_alive(maker) || !is_own_folder(entry.path())) continue;
    std::error_code failed;
    fs::remove_all(entry.path(), failed);
    if (!failed) removed.push_back(entry.path().native());
  }
  return removed;
}

}  // namespace slowpath::cli
