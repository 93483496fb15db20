// SPDX-License-Identifier: Apache-2.0
// From a packet's four-tuple to its connection: open addressing, symmetric hash, newest use of a
// four-tuple only. A slot holds the hash alone; whether the connection has these ends, it is asked
// itself, as it is needed anyway.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "facts/address.h"

namespace slowpath::flow {

class Connection;

/// 64 well-mixed bits of both ends, the same for both directions, other ones in every process.
std::uint64_t hash_of(const Endpoint& a, const Endpoint& b);

class FlowTable {
 public:
  FlowTable();
  /// The slot of the connection with this hash for which `is_it(connection)` holds, or nullptr.
  /// Valid until the next insertion.
  template <typename IsIt>
  Connection** find(std::uint64_t hash, IsIt&& is_it) {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t i = hash & mask; slots_[i].connection != nullptr; i = (i + 1) & mask) {
      if (slots_[i].hash == hash && is_it(*slots_[i].connection)) return &slots_[i].connection;
    }
    return nullptr;
  }
  /// The first connection that may be the one, for prefetching; or nullptr.
  [[nodiscard]] const Connection* guess(std::uint64_t hash) const {
    const Slot& slot = slots_[hash & (slots_.size() - 1)];
    return slot.hash == hash ? slot.connection : nullptr;
  }
  void prefetch(std::uint64_t hash) const {
    __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
  }
  /// Adds one that is not there.
  void put(std::uint64_t hash, Connection& connection);
  void clear();
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    Connection* connection = nullptr;  // null: free
  };
  void grow();
  void place(const Slot& slot);

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace slowpath::flow
