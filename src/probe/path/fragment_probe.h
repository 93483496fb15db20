// SPDX-License-Identifier: Apache-2.0
// Do packets that were cut into fragments arrive, in order and out of order? Asked by ICMP echo, so
// that any host can answer.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "facts/path_test.h"

namespace slowpath::probe {

/// Echo requests of `ip_bytes` (more than the interface's MTU), cut by this host. `whole_bytes`
/// is a size that passes uncut, sent beside them.
FragmentTest test_fragments(const IpAddress& target, std::uint32_t ip_bytes,
                            std::uint32_t mtu_bytes, std::uint32_t whole_bytes);

/// The same with the last fragment sent first: the fragments are made here, which needs a raw
/// socket.
FragmentTest test_fragments_out_of_order(const IpAddress& target, std::uint32_t ip_bytes,
                                         std::uint32_t mtu_bytes, std::uint32_t whole_bytes);

}  // namespace slowpath::probe
