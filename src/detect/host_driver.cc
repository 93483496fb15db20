// SPDX-License-Identifier: Apache-2.0
#include "detect/host_driver.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <vector>

namespace slowpath::detect {
namespace {

struct File {
  std::string_view path;
  std::uint64_t bytes = 0;
  const std::string* line = nullptr;
};

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return words;
    const std::size_t end = std::min(text.find_first_of(" \t", begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
}

/// `ls -l` and `find -ls`: the size stands behind mode, links, owner and group.
std::optional<File> file_of(const std::string& line) {
  const std::vector<std::string_view> words = words_of(line);
  for (std::size_t i = 0; i + 4 < words.size(); ++i) {
    if (words[i].size() < 10 || (words[i][0] != '-' && words[i][0] != 'l')) continue;
    File file{words.back(), 0, &line};
    const std::string_view size = words[i + 4];
    const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), file.bytes);
    if (error != std::errc{} || end != size.data() + size.size()) return std::nullopt;
    return file;
  }
  return std::nullopt;
}

std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// "11_64" of ".../modules/binary/11_64/vmxnet3s"; empty where it is another kind of path.
std::string_view shipped_for(std::string_view path) {
  constexpr std::string_view kFolder = "/modules/binary/";
  const std::size_t at = path.find(kFolder);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = path.substr(at + kFolder.size());
  return rest.substr(0, rest.find('/'));
}

bool is_installed(std::string_view path) {
  return path.starts_with("/kernel/drv/") && !path.ends_with(".conf");
}

std::string_view without_width(std::string_view release) {
  return release.ends_with("_64") ? release.substr(0, release.size() - 3) : release;
}

/// What a package ships under the name of an installed file.
struct Shipped {
  const File* foreign = nullptr;       // of the same size, for another release
  bool fits = false, has_own = false;  // one for this release: of the same size; at all
  bool is_told = false;
};

Shipped shipped_like(const File& installed, const std::vector<File>& files,
                     std::string_view release) {
  const bool is_wide = installed.path.starts_with("/kernel/drv/amd64/");
  Shipped shipped;
  for (const File& file : files) {
    const std::string_view built_for = shipped_for(file.path);
    if (built_for.empty() || name_of(file.path) != name_of(installed.path) ||
        built_for.ends_with("_64") != is_wide)
      continue;
    shipped.is_told = true;
    const bool is_own = without_width(built_for) == release;
    const bool is_same = file.bytes == installed.bytes;
    shipped.has_own = shipped.has_own || is_own;
    shipped.fits = shipped.fits || (is_own && is_same);
    if (is_same && !is_own) shipped.foreign = &file;
  }
  return shipped;
}

}  // namespace

std::optional<DriverBuild> foreign_driver(const MachineFacts& facts, bool& is_told) {
  std::vector<File> files;
  for (const std::string& line : facts.packages) {
    if (const auto file = file_of(line)) files.push_back(*file);
  }
  const std::string major = facts.os_release.substr(0, facts.os_release.find('.'));
  for (const File& installed : files) {
    if (!is_installed(installed.path) || major.empty()) continue;
    const Shipped shipped = shipped_like(installed, files, major);
    is_told = is_told || shipped.is_told;
    if (shipped.foreign == nullptr || shipped.fits || !shipped.has_own) continue;
    return DriverBuild{std::string(name_of(installed.path)), *installed.line,
                       *shipped.foreign->line,
                       std::string(without_width(shipped_for(shipped.foreign->path))), major};
  }
  return std::nullopt;
}

}  // namespace slowpath::detect
