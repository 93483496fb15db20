// SPDX-License-Identifier: Apache-2.0
#include "cli/compared_places.h"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace slowpath::cli {
namespace {

/// Connections of the case by input and ends, to find those that a comparison means.
class ConnectionIndex {
 public:
  explicit ConnectionIndex(const Case& facts) {
    for (const ConnectionFacts& connection : facts.connections) {
      by_ends_[key(connection.first_frame.input(), connection.client, connection.server)].push_back(
          &connection);
    }
  }

  [[nodiscard]] std::optional<std::uint32_t> find(FrameRef first, const Endpoint& a,
                                                  const Endpoint& b) const {
    const auto found = by_ends_.find(key(first.input(), a, b));
    if (found == by_ends_.end()) return std::nullopt;
    for (const ConnectionFacts* connection : found->second) {
      if (connection->first_frame.packed <= first.packed &&
          first.packed <= connection->last_frame.packed)
        return connection->id;
    }
    return std::nullopt;
  }

 private:
  using Key = std::tuple<std::uint16_t, Endpoint, Endpoint>;
  static Key key(std::uint16_t input, const Endpoint& a, const Endpoint& b) {
    return a < b ? Key{input, a, b} : Key{input, b, a};
  }
  std::map<Key, std::vector<const ConnectionFacts*>> by_ends_;
};

}  // namespace

bool FrameBytes::open(File& file) {
  constexpr int kMostOpenings = 16;  // each reads a compressed file from its beginning
  if (file.name.empty() || file.name == "-" || file.openings == kMostOpenings) return false;
  ++file.openings;
  auto source = capture::open_capture(file.name, 0);
  if (!source) return false;
  file.source = std::move(*source);
  file.reached = 0;
  return true;
}

Bytes FrameBytes::read_on(File& file, std::uint64_t offset, std::size_t len) {
  const Bytes at_hand = file.source->bytes_at(offset, len);
  if (!at_hand.empty() || file.source->stable_bytes()) return at_hand;
  wire::Frame frame;
  while (file.reached < offset + len && file.source->next(frame)) {
    file.reached = frame.byte_offset + frame.bytes.size();
  }
  return file.source->bytes_at(offset, len);
}

Bytes FrameBytes::bytes_at(std::uint16_t input, std::uint64_t offset, std::size_t len) {
  const auto found = files_.find(input);
  if (found == files_.end()) return {};
  File& file = found->second;
  if (!file.source && !open(file)) return {};
  const Bytes bytes = read_on(file, offset, len);
  // Behind what a stream keeps: once more from its beginning.
  if (!bytes.empty() || file.source->stable_bytes() || !open(file)) return bytes;
  return read_on(file, offset, len);
}

ComparedPlaces::ComparedPlaces(const PipelineOptions& options, std::span<const Input> inputs)
    : comparison_(
          {.verify_checksums = options.verify_checksums,
           .memory_bytes = options.memory_bytes,
           .bytes_at = [this](std::uint16_t input, std::uint64_t offset,
                              std::size_t len) { return bytes_.bytes_at(input, offset, len); }},
          count_places(options.inputs)) {
  for (const InputName& name : options.inputs) {
    const bool is_open = std::ranges::any_of(
        inputs, [&](const Input& input) { return input.name.file == name.file; });
    if (is_open && !name.place.empty()) (void)comparison_.point_of(name.place);
  }
}

void ComparedPlaces::name_input(std::uint16_t number, const InputName& name) {
  if (name.place.empty()) return;
  const std::size_t point = comparison_.point_of(name.place);
  comparison_.add_input(point, number);
  point_of_input_[number] = point;
  bytes_.name_input(number, name.file);
}

void ComparedPlaces::begin_input(std::uint16_t number) {
  const auto found = point_of_input_.find(number);
  is_compared_ = found != point_of_input_.end();
  if (is_compared_) point_ = found->second;
}

void ComparedPlaces::finish(Case& facts) {
  facts.comparisons = comparison_.finish();
  const ConnectionIndex index(facts);
  std::vector<ComparedConnection>& compared = facts.comparisons.connections;
  for (std::size_t i = 0; i < compared.size(); ++i) {
    for (PassedPoint& point : compared[i].points) {
      point.connection = index.find(point.first_frame, point.client, point.server);
      if (point.connection) facts.comparisons.by_connection.try_emplace(*point.connection, i);
    }
  }
  for (UnpairedConnection& one : facts.comparisons.unpaired) {
    one.connection = index.find(one.first_frame, one.client, one.server);
  }
}

std::size_t count_places(std::span<const InputName> inputs) {
  std::set<std::string> places;
  for (const InputName& input : inputs) {
    if (!input.place.empty()) places.insert(input.place);
  }
  return places.size();
}

}  // namespace slowpath::cli
