// SPDX-License-Identifier: Apache-2.0
// A file as memory that ends no program. The kernel answers a look at a page that is there no more
// with SIGBUS: the file was made shorter (as a ring of capture files does when it begins a file
// anew), or its disk cannot be read. Reading by read(2) instead would copy every byte.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"

namespace slowpath::capture {

/// The bytes of a file, for as long as this lives. What cannot be had of them any more is zero
/// from then on, in stretches of 1 MiB at most; problem() tells. Any thread may read.
class FileMapping {
 public:
  /// The first `len` bytes, more than none. Null where the system does not map this file. The
  /// descriptor may be closed afterwards. The first call sets the program's handler of SIGBUS; the
  /// one before it is given what lies in no mapping.
  static std::unique_ptr<FileMapping> make(int fd, std::size_t len);
  FileMapping(const FileMapping&) = delete;
  FileMapping& operator=(const FileMapping&) = delete;
  ~FileMapping();

  [[nodiscard]] Bytes bytes() const { return bytes_; }
  /// Whether these of its bytes are the file's: looks at their first and last, and trusts nothing
  /// any more once some were gone.
  [[nodiscard]] bool is_there(Bytes part) const;
  /// What is to be said of what is gone, as far as it was looked at; empty where nothing is.
  [[nodiscard]] std::string problem() const;
  /// The pages of these bytes are not needed for now. `offset` is a multiple of the page size.
  void give_back(std::size_t offset, std::size_t len);

 private:
  struct Watch;
  static bool put_zeros(std::uintptr_t at);
  static Watch& watch(Bytes bytes);
  static void handle_bus_errors();
  [[nodiscard]] std::uint64_t lost_from() const;  // their length where nothing is lost

  FileMapping(Bytes bytes, Watch& watch) : bytes_(bytes), watch_(watch) {}

  Bytes bytes_;
  Watch& watch_;
};

}  // namespace slowpath::capture
