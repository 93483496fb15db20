// SPDX-License-Identifier: Apache-2.0
#include "probe/route.h"

#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include <fmt/core.h>

#include "base/descriptor.h"
#include "probe/socket.h"

namespace slowpath::probe {
namespace {

constexpr const char* kAnyPort = "9";

/// Empty where none of ours has it.
std::string interface_with(const sockaddr_storage& address) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owned(list, freeifaddrs);
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (same_host(entry->ifa_addr, reinterpret_cast<const sockaddr*>(&address)))
      return entry->ifa_name;
  }
  return {};
}

/// Connecting a datagram socket sends nothing: it only asks the routing table.
std::string interface_of(const addrinfo& target) {
  const Descriptor socket(::socket(target.ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_storage local{};
  socklen_t len = sizeof local;
  if (!socket.is_open() || connect(socket.get(), target.ai_addr, target.ai_addrlen) != 0 ||
      getsockname(socket.get(), reinterpret_cast<sockaddr*>(&local), &len) != 0) {
    return {};
  }
  return interface_with(local);
}

}  // namespace

Result<std::string> interface_towards(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* list = nullptr;
  const int failure = getaddrinfo(host.c_str(), kAnyPort, &hints, &list);
  if (failure != 0) {
    return fail(ErrorKind::network, fmt::format("cannot find {}", host), gai_strerror(failure));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(list, freeaddrinfo);
  for (const addrinfo* target = list; target != nullptr; target = target->ai_next) {
    if (std::string name = interface_of(*target); !name.empty()) return name;
  }
  return fail(ErrorKind::network, fmt::format("cannot tell which interface leads to {}", host),
              std::strerror(errno), "name it with --interface");
}

}  // namespace slowpath::probe
