// SPDX-License-Identifier: Apache-2.0
// Memory asked for ahead of a walk over the records of a mapped file.
#pragma once

#include <cstddef>

namespace slowpath::capture {

/// Where the next record lies only this one tells, and a walk that waits for each is slow. Short
/// records lie close enough to fetch everything some way ahead. Of long ones only the beginning is
/// needed, and most are as long as the one before, with a short one (an acknowledgment) between at
/// times.
class RecordFetch {
 public:
  /// The walk stands at `at`, the beginning of a record of `record_len` bytes.
  void ahead_of(const std::byte* at, std::size_t record_len) {
    if (record_len >= kLongRecord) {
      long_record_ = record_len;
    } else {
      short_record_ = record_len;
      if (long_record_ == 0) [[likely]] {
        __builtin_prefetch(at + kFetchAhead);
        __builtin_prefetch(at + kFetchAhead + 64);
        return;
      }
    }
    __builtin_prefetch(at + 64);  // Where the headers end.
    const std::byte* guess = at + record_len;
    for (int i = 0; i < 3; ++i) {
      __builtin_prefetch(guess + short_record_);
      guess += long_record_;
      __builtin_prefetch(guess);
    }
  }

 private:
  // What walking some forty short records takes is longer than the memory's answer, and page
  // borders stop what the processor fetches by itself.
  static constexpr std::size_t kFetchAhead = 4096;
  // Records of whole packets are too long for that.
  static constexpr std::size_t kLongRecord = 512;

  std::size_t long_record_ = 0, short_record_ = 0;  // the newest of each kind, in bytes
};

}  // namespace slowpath::capture
