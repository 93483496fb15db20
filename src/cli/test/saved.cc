// SPDX-License-Identifier: Apache-2.0
#include "cli/test/saved.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace slowpath::cli::testing {

Result<void> check_writable(const std::string& file) {
  if (file.empty() || std::ofstream{file, std::ios::binary | std::ios::app}) return {};
  return fail(ErrorKind::environment, "cannot write " + file, std::strerror(errno));
}

Result<void> save(const std::string& file, const std::string& document) {
  std::ofstream stream{file, std::ios::binary};
  stream << document << std::flush;
  if (stream) return {};
  return fail(ErrorKind::environment, "cannot write " + file, std::strerror(errno));
}

Result<std::string> read_whole(const std::string& file) {
  std::ifstream stream{file, std::ios::binary};
  if (!stream) return fail(ErrorKind::input, "cannot read " + file, std::strerror(errno));
  return std::string{std::istreambuf_iterator<char>{stream}, {}};
}

}  // namespace slowpath::cli::testing
