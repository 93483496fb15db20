// SPDX-License-Identifier: Apache-2.0
#include "cli/place.h"

#include <algorithm>
#include <iterator>

namespace slowpath::cli {
namespace {

/// Places looked at side by side; memory is divided among them.
constexpr std::size_t kMostOpen = 4;

}  // namespace

Place::Place(std::string name, bool verify_checksums, std::uint64_t memory_bytes,
             flow::FrameObserver on_frame)
    : name_(std::move(name)),
      engine_({.verify_checksums = verify_checksums,
               .memory_bytes = memory_bytes,
               .bytes_at = [this](std::uint16_t input, std::uint64_t offset,
                                  std::size_t len) { return bytes_at(input, offset, len); },
               .on_frame = std::move(on_frame)}) {}

capture::Source& Place::add(std::uint16_t input, std::unique_ptr<capture::Source> source) {
  constexpr std::size_t kKept = 2;
  if (recent_.size() == kKept) recent_.pop_front();
  inputs_.push_back(input);
  return *recent_.emplace_back(input, std::move(source)).second;
}

void Place::reached(Time time) {
  first_ = std::min(first_, time);
  last_ = std::max(last_, time);
}

bool Place::continues_with(const std::string& name, Time first) const {
  if (name != name_) return false;
  if (last_ < first_) return true;  // Nothing with a time came yet.
  // Packets of two queues may be swapped where one file ends and the next begins. A second capture
  // of the same transfer overlaps nearly all of it.
  constexpr Duration kMostSlack = std::chrono::seconds{1};
  constexpr int kShareOfSpan = 20;
  return first >= last_ - std::min(kMostSlack, (last_ - first_) / kShareOfSpan);
}

Bytes Place::bytes_at(std::uint16_t input, std::uint64_t offset, std::size_t len) const {
  for (const auto& [number, source] : recent_) {
    if (number == input) return source->bytes_at(offset, len);
  }
  return {};
}

Places::Places(std::size_t inputs, bool verify_checksums, std::uint64_t memory_bytes,
               flow::FrameObserver on_frame)
    : verify_checksums_(verify_checksums),
      memory_bytes_of_one_(memory_bytes / std::clamp<std::size_t>(inputs, 1, kMostOpen)),
      on_frame_(std::move(on_frame)) {}

Place& Places::place_of(const std::string& name, Time first) {
  Place* best = nullptr;
  for (const std::unique_ptr<Place>& place : open_) {
    if (!place->continues_with(name, first)) continue;
    if (best == nullptr || place->last() > best->last()) best = place.get();
  }
  if (best != nullptr) return *best;
  if (open_.size() == kMostOpen) finish_oldest();
  return *open_.emplace_back(
      std::make_unique<Place>(name, verify_checksums_, memory_bytes_of_one_, on_frame_));
}

void Places::finish_oldest() {
  const auto oldest = std::ranges::min_element(
      open_, {}, [](const std::unique_ptr<Place>& place) { return place->last(); });
  merge(finished_, (*oldest)->engine().finish(), (*oldest)->inputs());
  open_.erase(oldest);
}

Case Places::finish(std::size_t inputs) {
  for (const std::unique_ptr<Place>& place : open_) {
    merge(finished_, place->engine().finish(), place->inputs());
  }
  open_.clear();
  finished_.captures.resize(std::max(finished_.captures.size(), inputs));
  return std::move(finished_);
}

namespace {

// The first list, mostly the only one, is taken as it is: it may be most of what memory there is.
template <typename T>
void append(std::vector<T>& all, std::vector<T> more) {
  if (all.empty()) {
    all = std::move(more);
  } else {
    std::ranges::move(more, std::back_inserter(all));
  }
}

}  // namespace

void merge(Case& facts, Case more, const std::vector<std::uint16_t>& inputs) {
  std::uint32_t next_id = 0;
  for (const ConnectionFacts& connection : facts.connections) {
    next_id = std::max(next_id, connection.id + 1);
  }
  for (ConnectionFacts& connection : more.connections) {
    connection.id += next_id;
    if (connection.reuses) *connection.reuses += next_id;
  }
  for (PathFacts& path : more.paths) {
    for (std::uint32_t& id : path.connections) id += next_id;
  }
  append(facts.connections, std::move(more.connections));
  append(facts.paths, std::move(more.paths));
  for (const std::uint16_t input : inputs) {
    if (input >= more.captures.size()) continue;
    if (input >= facts.captures.size()) facts.captures.resize(std::size_t{input} + 1);
    facts.captures[input] = std::move(more.captures[input]);
  }
  facts.connections_total += more.connections_total;
  facts.unmatched_icmp_errors += more.unmatched_icmp_errors;
}

}  // namespace slowpath::cli
