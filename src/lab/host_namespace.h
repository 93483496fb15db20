// SPDX-License-Identifier: Apache-2.0
// Network namespaces without names: made, held by a descriptor, visited by a thread. What goes into
// them is left to Host.
#pragma once

#include <optional>
#include <string>

#include "base/descriptor.h"
#include "base/result.h"

namespace slowpath::lab {

/// A new, empty network namespace, which lives as long as its descriptor, a thread or a socket is
/// in it. The calling thread stays where it is. Errors: environment.
Result<Descriptor> make_network_namespace();

/// The calling thread is inside while this lives, and back where it was afterwards.
class NamespaceVisit {
 public:
  /// Errors: environment.
  static Result<NamespaceVisit> enter(int namespace_fd);
  NamespaceVisit(NamespaceVisit&&) noexcept = default;
  NamespaceVisit& operator=(NamespaceVisit&&) = delete;
  ~NamespaceVisit();

 private:
  explicit NamespaceVisit(Descriptor home) : home_(std::move(home)) {}
  Descriptor home_;
};

/// Writes a sysctl ("net.ipv4.tcp_sack") of the namespace that the calling thread is in. Errors:
/// usage where there is none of that name, environment.
Result<void> write_sysctl(const std::string& name, const std::string& value);

/// A whole file of /proc; empty if it cannot be read.
std::optional<std::string> read_whole(const std::string& path);

}  // namespace slowpath::lab
