// SPDX-License-Identifier: Apache-2.0
// From a packet's four-tuple to its connection: open addressing, symmetric hash, newest use of a four-tuple only.
#pragma once

#include <cstdint>
#include <vector>

#include "facts/address.h"

namespace slowpath::flow {

/// Both ends of a packet; equal for both directions.
struct FlowKey {
  Endpoint low, high;  // low < high
  FlowKey(const Endpoint& a, const Endpoint& b) : low(a < b ? a : b), high(a < b ? b : a) {}
  friend bool operator==(const FlowKey&, const FlowKey&) = default;
};

/// 64 well-mixed bits of both ends, the same for both directions.
std::uint64_t hash_of(const FlowKey& key);

class FlowTable {
 public:
  FlowTable();
  /// The value kept for the key, or nullptr. Valid until the next insertion.
  std::uint32_t* find(const FlowKey& key, std::uint64_t hash);
  /// Adds or replaces.
  void put(const FlowKey& key, std::uint64_t hash, std::uint32_t value);
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Slot {
    FlowKey key{{}, {}};
    std::uint32_t tag = 0;     // upper half of the hash, never 0 when used
    std::uint32_t value = 0;
  };
  void grow();
  static std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32) | 1u; }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace slowpath::flow
