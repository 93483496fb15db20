// SPDX-License-Identifier: Apache-2.0
// One capture point and its files. Files that follow each other in time are one rotated capture and
// share an engine. Files that overlap show the same packets twice: taken for one capture they would
// look like a transfer full of resends, so each capture point has an engine of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "capture/source.h"
#include "facts/case.h"
#include "flow/engine.h"

namespace slowpath::cli {

/// Stays where it is: its engine asks it for bytes.
class Place {
 public:
  Place(std::string name, bool verify_checksums, std::uint64_t memory_bytes,
        flow::FrameObserver on_frame = {});
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  /// Takes over the next file's source; the one before the last is closed.
  capture::Source& add(std::uint16_t input, std::unique_ptr<capture::Source> source);
  /// Notes how far in time this place has got.
  void reached(Time time);
  /// Whether a file of this name and first packet continues this place.
  [[nodiscard]] bool continues_with(const std::string& name, Time first) const;

  [[nodiscard]] flow::Engine& engine() { return engine_; }
  [[nodiscard]] Time last() const { return last_; }
  [[nodiscard]] const std::vector<std::uint16_t>& inputs() const { return inputs_; }

 private:
  [[nodiscard]] Bytes bytes_at(std::uint16_t input, std::uint64_t offset, std::size_t len) const;

  std::string name_;
  std::vector<std::uint16_t> inputs_;
  // The file being read and the one before it: resends seldom reach back further.
  std::deque<std::pair<std::uint16_t, std::unique_ptr<capture::Source>>> recent_;
  Time first_ = Time::max();
  Time last_ = Time::min();
  flow::Engine engine_;
};

/// The capture points of one question.
class Places {
 public:
  Places(std::size_t inputs, bool verify_checksums, std::uint64_t memory_bytes,
         flow::FrameObserver on_frame = {});

  /// The place that a file with this name (may be empty) and first packet belongs to.
  Place& place_of(const std::string& name, Time first);
  /// Ends all and gives what was learnt of `inputs` inputs. Call once.
  Case finish(std::size_t inputs);

 private:
  void finish_oldest();

  bool verify_checksums_;
  std::uint64_t memory_bytes_of_one_;
  flow::FrameObserver on_frame_;
  std::vector<std::unique_ptr<Place>> open_;
  Case finished_;
};

/// Adds `more` to `facts`: connection ids are renumbered behind those already there, and the
/// captures of `inputs` go to their positions.
void merge(Case& facts, Case more, const std::vector<std::uint16_t>& inputs);

}  // namespace slowpath::cli
