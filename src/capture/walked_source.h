// SPDX-License-Identifier: Apache-2.0
// What readers share that have two ways through their input: a quick walk over records without
// anything odd, and one by one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/hash_filter.h"
#include "capture/file_source.h"
#include "capture/passing_over.h"

namespace slowpath::capture {

/// `Format`, which is derived from this and has it for a friend, has:
/// bool is_plain() const: whether the quick walk may be tried at all;
/// std::size_t read_sound(frames, wanted, most): the walk, as far as the window shows; with
///   `wanted`, which may be nullptr, of no more than `most` records, as PassingOver::next_wanted();
/// bool read_one(frame): its plain twin.
template <typename Format>
class WalkedSource : public FileSource, public PassingOver {
 public:
  bool next(wire::Frame& frame) final {
    begin_batch();
    return self().read_one(frame);
  }
  std::size_t next_batch(std::span<wire::Frame> frames) final {
    begin_batch();
    const std::size_t count = self().is_plain() ? self().read_sound(frames, nullptr, 0) : 0;
    if (count == frames.size() || (count != 0 && window_->may_wait())) return count;
    return count + read_batch(frames.subspan(count),
                              [this](wire::Frame& frame) { return self().read_one(frame); });
  }
  std::size_t next_wanted(const HashFilter& wanted, std::uint64_t most,
                          std::span<wire::Frame> frames) final {
    if (!self().is_plain()) {
      return next_batch(frames.first(std::min<std::uint64_t>(most, frames.size())));
    }
    begin_batch();
    const std::uint64_t before = info_.frames;
    const std::size_t count = self().read_sound(frames, &wanted, most);
    // What the walk stops at is read one by one.
    return info_.frames != before ? count : std::size_t{self().read_one(frames.front())};
  }

 protected:
  using FileSource::FileSource;
  // Half as far as read_batch() goes, which may go on from there.
  [[nodiscard]] Bytes shown() const {
    return {window_->data(), std::min<std::size_t>(window_->unread(), kRetainedBytes / 8)};
  }

 private:
  Format& self() { return static_cast<Format&>(*this); }
};

}  // namespace slowpath::capture
