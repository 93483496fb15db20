// SPDX-License-Identifier: Apache-2.0
// A file as memory that ends no program. The kernel answers a look at a page that is there no more
// with SIGBUS: the file was made shorter (as a ring of capture files does when it begins a file
// anew), or its disk cannot be read. Reading by read(2) instead would copy every byte.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
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
  /// Whether these bytes are the file's, where they are of one that is mapped; other memory is
  /// always there. Looks at their first and last, and trusts nothing of a file any more once some
  /// of it was gone.
  [[nodiscard]] static bool are_there(Bytes part);
  /// What is to be said of what is gone of the file that `part`, which is not empty, is mapped of,
  /// as far as it was looked at; empty where nothing is.
  [[nodiscard]] static std::string problem_of(Bytes part);
  [[nodiscard]] std::string problem() const { return problem_of(bytes_); }
  /// Sees to it that `part`, which begins with a page, is mapped before it is looked at, where it
  /// is of a file. What was asked for before is not looked up again.
  static void bring(Bytes part);
  /// The pages of these bytes are not needed for now. `offset` is a multiple of the page size.
  void give_back(std::size_t offset, std::size_t len);

 private:
  struct Watch;
  static bool put_zeros(std::uintptr_t at);
  static Watch& watch(Bytes bytes);
  static void handle_bus_errors();
  /// Of what `part` is mapped of, where something of it is lost: from where on.
  static std::optional<std::uint64_t> lost_from(Bytes part);

  FileMapping(Bytes bytes, Watch& watch) : bytes_(bytes), watch_(watch) {}

  Bytes bytes_;
  Watch& watch_;
};

}  // namespace slowpath::capture
