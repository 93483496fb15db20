// SPDX-License-Identifier: Apache-2.0
// Other transfers of the same two hosts at the same time: what shares a path for certain, and is in
// the capture. Who blames others for a full path has to ask here first.
#pragma once

#include <cstddef>
#include <vector>

#include "detect/support.h"

namespace slowpath::detect {

class Siblings {
 public:
  /// Of these transfers, which must outlive it. Cheap until it is asked.
  explicit Siblings(const std::vector<Transfer>& all) : all_(all) {}

  /// Whether another transfer counts beside this one.
  using Counts = bool (*)(const Transfer& one, const Transfer& other);
  static bool any(const Transfer&, const Transfer&) { return true; }

  /// How many transfers from the same host to the same host, in the same capture, together moved
  /// this many bytes while this one lasted; 0: all of them did not. Each is taken to have gone on
  /// evenly. The same connection seen again is none.
  [[nodiscard]] std::size_t that_move(const Transfer& transfer, double bytes, Counts counts = any);
  /// How many moved as much as it did itself.
  [[nodiscard]] std::size_t that_move_as_much(const Transfer& transfer) {
    return that_move(transfer, static_cast<double>(transfer.data().bytes));
  }

  /// What they together moved while this one lasted, in bytes: of those that began nearest to it,
  /// some hundreds at most. Among more than that a long one that began far before is missed.
  [[nodiscard]] double bytes_beside(const Transfer& transfer);

 private:
  void sort();

  const std::vector<Transfer>& all_;
  std::vector<const Transfer*> by_hosts_;
};

}  // namespace slowpath::detect
