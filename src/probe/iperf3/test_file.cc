// SPDX-License-Identifier: Apache-2.0
#include "probe/iperf3/test_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

namespace slowpath::probe::iperf3 {

Result<TestFile> TestFile::open(const std::string& name, FileUse use) {
  constexpr mode_t kMode = 0666;
  const std::string kAttempts[] = {"cannot send ", "cannot write ", "cannot use "};
  const int how = use == FileUse::send ? O_RDONLY : use == FileUse::write ? O_WRONLY : O_RDWR;
  bool writable = use != FileUse::send;
  Descriptor file(::open(name.c_str(), how | (writable ? O_CREAT : 0) | O_CLOEXEC, kMode));
  if (!file.is_open() && use == FileUse::either) {
    writable = false;
    const int first = errno;
    file.reset(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
    // Why it could not be made says more than that it is not there.
    if (!file.is_open() && errno == ENOENT) errno = first;
  }
  if (!file.is_open())
    return fail(ErrorKind::input, kAttempts[static_cast<std::size_t>(use)] + name,
                std::strerror(errno));
  struct stat status{};
  if (use == FileUse::either &&
      (fstat(file.get(), &status) != 0 || !(S_ISREG(status.st_mode) || S_ISCHR(status.st_mode))))
    return fail(ErrorKind::input, "cannot use " + name, "it is neither a file nor a device");
  return TestFile(std::move(file), name, writable);
}

Result<std::uint64_t> TestFile::bytes_to_send() const {
  struct stat status{};
  if (fstat(file_.get(), &status) != 0)
    return fail(ErrorKind::input, "cannot send " + name_, std::strerror(errno));
  if (!S_ISREG(status.st_mode) || status.st_size == 0)
    return fail(ErrorKind::input, "cannot send " + name_,
                "it is no regular file with something in it");
  return static_cast<std::uint64_t>(status.st_size);
}

Result<void> TestFile::empty() const {
  struct stat status{};
  if (fstat(file_.get(), &status) == 0 &&
      (!S_ISREG(status.st_mode) || ftruncate(file_.get(), 0) == 0))
    return {};
  return fail(ErrorKind::input, "cannot write " + name_, std::strerror(errno));
}

}  // namespace slowpath::probe::iperf3
