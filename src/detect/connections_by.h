// SPDX-License-Identifier: Apache-2.0
// Connections by what they have in common, for detectors that ask about the others of each
// connection: the list is sorted once, so that not every one walks over all.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "facts/case.h"

namespace slowpath::detect {

/// The client's and the server's address.
using Hosts = std::pair<IpAddress, IpAddress>;
inline Hosts hosts_of(const ConnectionFacts& connection) {
  return {connection.client.address, connection.server.address};
}

template <typename Key>
class ConnectionsBy {
 public:
  /// nullopt: the connection is not asked for.
  using KeyOf = std::optional<Key> (*)(const ConnectionFacts&);

  /// Cheap until it is asked. The case outlives it.
  ConnectionsBy(const Case& facts, KeyOf key_of) : facts_(&facts), key_of_(key_of) {}

  /// The first connection of the case with this key for which `holds`, or nullptr.
  template <typename Holds>
  [[nodiscard]] const ConnectionFacts* first(const Key& key, Holds&& holds) {
    for (auto at = first_of(key); at != sorted_.end() && at->first == key; ++at) {
      if (holds(*at->second)) return at->second;
    }
    return nullptr;
  }
  [[nodiscard]] const ConnectionFacts* first(const Key& key) {
    return first(key, [](const ConnectionFacts&) { return true; });
  }

 private:
  using Entry = std::pair<Key, const ConnectionFacts*>;

  typename std::vector<Entry>::const_iterator first_of(const Key& key) {
    if (!is_sorted_) sort();
    return std::lower_bound(sorted_.cbegin(), sorted_.cend(), key,
                            [](const Entry& entry, const Key& k) { return entry.first < k; });
  }
  // Entries of one key stay in the order of the case.
  void sort() {
    is_sorted_ = true;
    for (const ConnectionFacts& connection : facts_->connections) {
      if (auto key = key_of_(connection)) sorted_.emplace_back(std::move(*key), &connection);
    }
    std::ranges::stable_sort(sorted_, {}, &Entry::first);
  }

  const Case* facts_;
  KeyOf key_of_;
  std::vector<Entry> sorted_;
  bool is_sorted_ = false;
};

}  // namespace slowpath::detect
