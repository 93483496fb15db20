// SPDX-License-Identifier: Apache-2.0
#include "flow/screen/chosen_ends.h"

#include <utility>

#include "wire/common_segment.h"

namespace slowpath::flow {

void ChosenEnds::add(const wire::EndsKey& key, std::uint64_t hash) {
  if (contains(key, hash)) return;
  if ((count_ + 1) * 2 > slots_.size()) {
    std::vector<wire::EndsKey> old(slots_.size() * 2);
    std::swap(old, slots_);
    for (const wire::EndsKey& known : old) {
      if (known.version != 0) place(known, wire::hash_of(known));
    }
  }
  place(key, hash);
  ++count_;
  filter_.add(hash);
  if (key.version == 4) quick_filter_.add(wire::CommonSegment::quick_hash(key));
}

void ChosenEnds::place(const wire::EndsKey& key, std::uint64_t hash) {
  std::size_t i = hash & (slots_.size() - 1);
  while (slots_[i].version != 0) i = (i + 1) & (slots_.size() - 1);
  slots_[i] = key;
}

bool ChosenEnds::is_member(const wire::EndsKey& key, std::uint64_t hash) const {
  for (std::size_t i = hash & (slots_.size() - 1); slots_[i].version != 0;
       i = (i + 1) & (slots_.size() - 1)) {
    if (slots_[i] == key) return true;
  }
  return false;
}

}  // namespace slowpath::flow
