// SPDX-License-Identifier: Apache-2.0
// A client, a router and a server of real network stacks: three namespaces joined by veth pairs,
// for tests of what looks at a path. 10.9.1.1 -- 10.9.1.254 router 10.9.2.254 -- 10.9.2.1, and
// fd09:.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "base/descriptor.h"
#include "base/result.h"
#include "facts/address.h"

namespace slowpath::test {

class NetPath {
 public:
  /// Fails with why it cannot be made here: not root, no veth, no ip(8).
  static Result<std::unique_ptr<NetPath>> make();
  ~NetPath() = default;
  NetPath(const NetPath&) = delete;
  NetPath& operator=(const NetPath&) = delete;

  enum class Place { client, router, server };
  /// Runs shell words inside; fails the test where the command fails.
  void run(Place place, const std::string& command);
  /// Calls in a thread of that place's network.
  void inside(Place place, const std::function<void()>& what);

  /// The router lets a fragment of IPv6 pass only behind the first of its packet, in packets that
  /// come in by this interface: "c" is the client's side, "s" the server's.
  void drop_late_fragments6(const std::string& interface);

  [[nodiscard]] static IpAddress server4();
  [[nodiscard]] static IpAddress server6();

 private:
  NetPath() = default;
  std::array<Descriptor, 3> places_;
};

}  // namespace slowpath::test
