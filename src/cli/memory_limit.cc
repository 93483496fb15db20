// SPDX-License-Identifier: Apache-2.0
#include "cli/memory_limit.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>

namespace slowpath::cli {
namespace {

constexpr std::uint64_t kLeast = std::uint64_t{64} << 20, kUntold = std::uint64_t{1} << 30;
constexpr std::uint64_t kShare = 4;

/// "MemTotal:       24562716 kB" (proc_meminfo(5)).
std::optional<std::uint64_t> memory_of_machine(const std::string& root) {
  std::ifstream file(root + "/proc/meminfo");
  std::string word;
  std::uint64_t kib = 0;
  if (file >> word >> kib && word == "MemTotal:") return kib << 10;
  return std::nullopt;
}

/// The line "0::/PATH" of /proc/self/cgroup (cgroups(7)).
std::filesystem::path group_of_process(const std::string& root) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("0::/")) return line.substr(4);
  }
  return {};
}

/// "max", which is none, or bytes.
std::optional<std::uint64_t> limit_of(const std::filesystem::path& group) {
  std::ifstream file(group / "memory.max");
  std::uint64_t bytes = 0;
  if (file >> bytes) return bytes;
  return std::nullopt;
}

}  // namespace

std::uint64_t default_memory_bytes(const std::string& root) {
  std::optional<std::uint64_t> most = memory_of_machine(root);
  const std::filesystem::path top = root + "/sys/fs/cgroup";
  // A group's limit holds for those within it.
  std::filesystem::path group = group_of_process(root);
  for (bool is_top = false; !is_top; group = group.parent_path()) {
    is_top = group.empty();
    if (const auto limit = limit_of(top / group)) most = std::min(most.value_or(*limit), *limit);
  }
  return most ? std::max(*most / kShare, kLeast) : kUntold;
}

}  // namespace slowpath::cli
