// SPDX-License-Identifier: Apache-2.0
// The four-tuples that the second pass picks out: asked for every packet, and nearly always told
// no.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/hash_filter.h"
#include "wire/ends_key.h"

namespace slowpath::flow {

/// The four-tuples whose packets the second pass hands on. All uses of a four-tuple go together:
/// what a later one meets follows from the earlier.
class ChosenEnds {
 public:
  void add(const wire::EndsKey& key, std::uint64_t hash);
  [[nodiscard]] bool contains(const wire::EndsKey& key, std::uint64_t hash) const {
    return may_contain(hash) && is_member(key, hash);
  }
  /// False for nearly all that it does not contain.
  [[nodiscard]] bool may_contain(std::uint64_t hash) const { return filter_.may_contain(hash); }
  /// Of IPv4, by wire::CommonSegment::quick_hash(): false for most.
  [[nodiscard]] const HashFilter& quick_filter() const { return quick_filter_; }
  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  void place(const wire::EndsKey& key, std::uint64_t hash);
  [[nodiscard]] bool is_member(const wire::EndsKey& key, std::uint64_t hash) const;

  HashFilter filter_, quick_filter_;
  std::vector<wire::EndsKey> slots_ = std::vector<wire::EndsKey>(64);
  std::size_t count_ = 0;
};

}  // namespace slowpath::flow
