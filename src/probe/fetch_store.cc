// SPDX-License-Identifier: Apache-2.0
#include "probe/fetch_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fmt/core.h>

namespace slowpath::probe {

Result<FetchStore> FetchStore::open(const std::string& file) {
  Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status{};
  if (!descriptor.is_open() || fstat(descriptor.get(), &status) != 0) {
    return fail(ErrorKind::input, fmt::format("cannot read {}", file), std::strerror(errno));
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorKind::input, fmt::format("cannot compare with {}", file),
                "it is no regular file");
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  return FetchStore(std::move(descriptor), size, size);
}

Result<FetchStore> FetchStore::make(std::uint64_t limit_bytes) {
  const char* directory = std::getenv("TMPDIR");
  if (directory == nullptr || *directory == '\0') directory = "/var/tmp";
  Descriptor file(::open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file.is_open()) {
    // Some file systems have no O_TMPFILE.
    std::string name = fmt::format("{}/slowpath-XXXXXX", directory);
    file.reset(mkostemp(name.data(), O_CLOEXEC));
    if (file.is_open()) unlink(name.c_str());
  }
  if (!file.is_open()) {
    return fail(ErrorKind::environment, fmt::format("cannot keep a copy in {}", directory),
                std::strerror(errno), "set TMPDIR, or keep none with --spool 0");
  }
  return FetchStore(std::move(file), 0, limit_bytes);
}

void FetchStore::append(Bytes bytes) {
  Bytes rest = bytes.first(std::min<std::uint64_t>(bytes.size(), limit_ - size_));
  while (!rest.empty()) {
    const ssize_t written =
        pwrite(file_.get(), rest.data(), rest.size(), static_cast<off_t>(size_));
    if (written <= 0) {
      limit_ = size_;  // a full disk keeps what it has
      return;
    }
    size_ += static_cast<std::uint64_t>(written);
    rest = rest.subspan(static_cast<std::size_t>(written));
  }
}

void FetchStore::clear() {
  if (ftruncate(file_.get(), 0) == 0) size_ = 0;
}

std::size_t FetchStore::read(std::uint64_t offset, std::span<std::byte> into) const {
  std::size_t done = 0;
  while (done < into.size() && offset + done < size_) {
    const ssize_t got = pread(file_.get(), into.data() + done, into.size() - done,
                              static_cast<off_t>(offset + done));
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

std::vector<std::byte> FetchStore::bytes_at(std::uint64_t offset, std::size_t len) const {
  std::vector<std::byte> bytes(len);
  bytes.resize(read(offset, bytes));
  return bytes;
}

}  // namespace slowpath::probe
