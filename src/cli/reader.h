// SPDX-License-Identifier: Apache-2.0
// The loop over packets: everything that it needs, and nothing else. What becomes of them is the
// caller's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/hash_filter.h"
#include "capture/passing_over.h"
#include "capture/source.h"
#include "cli/inputs.h"
#include "cli/pipeline.h"
#include "cli/progress.h"
#include "cli/selection.h"
#include "cli/signals.h"
#include "wire/frame.h"

namespace slowpath::cli {

class Reader {
 public:
  /// `batch`: frames handed on together; `passes` over all inputs, for the progress display.
  Reader(const PipelineOptions& options, std::span<const Input> inputs, std::size_t batch = 256,
         std::size_t passes = 1)
      : frames_(batch),
        window_(resolve(options.window, inputs.empty() ? Time{} : inputs.front().first.time)),
        checks_window_(!window_.is_everything()),
        passes_(passes),
        progress_(options.show_progress) {
    for (const Input& input : inputs) total_bytes_ += passes * input.file_bytes;
  }

  /// Hands the frames of `source` that lie in the window to take(span of frames), to its end or
  /// until a signal comes, unless `to_the_end`. `first` was read before. Returns how many packets
  /// the window left out.
  template <typename Take>
  std::uint64_t read(capture::Source& source, std::span<wire::Frame> first, std::uint16_t input,
                     Take&& take, bool to_the_end = false) {
    return read_while([=](bool is_to_end) { return to_the_end || !is_to_end; }, source, first,
                      input, take);
  }

  /// Likewise, and goes_on(whether a signal came) says before each batch whether it is read.
  template <typename GoesOn, typename Take>
  std::uint64_t read_while(GoesOn&& goes_on, capture::Source& source, std::span<wire::Frame> first,
                           std::uint16_t input, Take&& take) {
    std::uint64_t left_out = hand_on(first, input, take);
    while (goes_on(stop_requested().load(std::memory_order_relaxed))) {
      const std::size_t count = source.next_batch(frames_);
      if (count == 0) break;
      left_out += hand_on(std::span(frames_).first(count), input, take);
      progress_.update(done_bytes_ + source.position(), total_bytes_, packets_);
    }
    count_done(source);
    return left_out;
  }

  /// Likewise, but exactly `count` frames of it, whatever signals come: what was begun is finished.
  /// Returns how many of them were not there any more.
  /// What is not `wanted` may be left out, where the source does it and no window is checked, but
  /// for the first and the last.
  template <typename Take>
  std::uint64_t read_again(capture::Source& source, std::span<wire::Frame> first,
                           std::uint16_t input, std::uint64_t count, const HashFilter& wanted,
                           Take&& take) {
    auto* const passing = checks_window_ ? nullptr : dynamic_cast<capture::PassingOver*>(&source);
    std::uint64_t left = count - std::min<std::uint64_t>(count, first.size());
    (void)hand_on(first.first(static_cast<std::size_t>(count - left)), input, take);
    while (left > 0) {
      const std::size_t most =
          static_cast<std::size_t>(std::min<std::uint64_t>(left, frames_.size()));
      const std::uint64_t before = source.info().frames;
      const std::size_t got = passing != nullptr
                                  ? passing->next_wanted(wanted, left, frames_)
                                  : source.next_batch(std::span(frames_).first(most));
      const std::uint64_t read = passing != nullptr ? source.info().frames - before : got;
      if (read == 0) break;
      left -= read;
      packets_ += read - got;
      (void)hand_on(std::span(frames_).first(got), input, take);
      progress_.update(done_bytes_ + source.position(), total_bytes_, packets_);
    }
    done_bytes_ += source.info().file_bytes;
    return left;
  }

  /// Whether only frames of some time are wanted.
  [[nodiscard]] bool has_window() const { return checks_window_; }
  /// Takes account of `packets` of an input, and of its end, that others read.
  void passed(std::uint64_t packets, std::uint64_t position) {
    packets_ += packets;
    progress_.update(done_bytes_ + position, total_bytes_, packets_);
  }
  void passed_all(std::uint64_t file_bytes) { done_bytes_ += file_bytes; }

 private:
  // How much there is of a pipe is known when it has been read once.
  void count_done(const capture::Source& source) {
    const std::uint64_t known = source.info().file_bytes;
    const std::uint64_t bytes = known != 0 ? known : source.position();
    if (known == 0) total_bytes_ += passes_ * bytes;
    done_bytes_ += bytes;
  }

  template <typename Take>
  std::uint64_t hand_on(std::span<wire::Frame> frames, std::uint16_t input, Take& take) {
    packets_ += frames.size();
    if (input != 0) {
      for (wire::Frame& frame : frames) frame.input = input;
    }
    std::span<wire::Frame> wanted = frames;
    if (checks_window_) {
      const auto unwanted = std::ranges::remove_if(frames, [this](const wire::Frame& frame) {
        return frame.has_time && !window_.contains(frame.time);
      });
      wanted = frames.first(frames.size() - unwanted.size());
    }
    take(wanted);
    return frames.size() - wanted.size();
  }

  std::vector<wire::Frame> frames_;
  AbsoluteWindow window_;
  bool checks_window_;
  std::size_t passes_;
  std::uint64_t total_bytes_ = 0;
  std::uint64_t done_bytes_ = 0;
  std::uint64_t packets_ = 0;
  Progress progress_;
};

}  // namespace slowpath::cli
