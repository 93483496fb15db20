// SPDX-License-Identifier: Apache-2.0
#include "probe/path/socket_address.h"

#include <netinet/in.h>

#include <cstring>

namespace slowpath::probe {

SocketAddress to_socket_address(const Endpoint& endpoint, std::uint32_t scope) {
  SocketAddress result;
  if (endpoint.address.version == 6) {
    sockaddr_in6 in6{};
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(endpoint.port);
    in6.sin6_scope_id = scope;
    std::memcpy(in6.sin6_addr.s6_addr, endpoint.address.bytes.data(), 16);
    std::memcpy(&result.storage, &in6, sizeof in6);
    result.length = sizeof in6;
  } else {
    sockaddr_in in4{};
    in4.sin_family = AF_INET;
    in4.sin_port = htons(endpoint.port);
    std::memcpy(&in4.sin_addr, endpoint.address.bytes.data(), 4);
    std::memcpy(&result.storage, &in4, sizeof in4);
    result.length = sizeof in4;
  }
  return result;
}

Endpoint to_endpoint(const sockaddr* address) {
  SocketAddress copy;
  if (address->sa_family == AF_INET) {
    copy.length = sizeof(sockaddr_in);
  } else if (address->sa_family == AF_INET6) {
    copy.length = sizeof(sockaddr_in6);
  } else {
    return {};
  }
  std::memcpy(&copy.storage, address, copy.length);
  return endpoint_of(copy);
}

}  // namespace slowpath::probe
