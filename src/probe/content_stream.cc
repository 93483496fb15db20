// SPDX-License-Identifier: Apache-2.0
#include "probe/content_stream.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace slowpath::probe {

Result<Descriptor> make_content_file(const Content& content, std::uint64_t bytes) {
  const auto refuse = [] {
    return fail(ErrorKind::environment, "cannot keep what is to be sent in memory",
                std::strerror(errno));
  };
  Descriptor file{memfd_create("slowpath-content", MFD_CLOEXEC)};
  if (!file.is_open()) return refuse();
  std::vector<std::byte> block(std::size_t{1} << 20U);
  for (std::uint64_t at = 0; at < bytes;) {
    const auto part = std::span{block}.first(std::min<std::uint64_t>(block.size(), bytes - at));
    content.fill(part, at);
    const ssize_t written = pwrite(file.get(), part.data(), part.size(), static_cast<off_t>(at));
    if (written <= 0) return refuse();
    at += static_cast<std::uint64_t>(written);
  }
  return file;
}

}  // namespace slowpath::probe
