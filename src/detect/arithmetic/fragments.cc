// SPDX-License-Identifier: Apache-2.0
#include "detect/arithmetic/fragments.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/assert.h"
#include "detect/arithmetic/packet_size.h"

namespace slowpath::arithmetic {

std::uint32_t max_packet_bytes(IpVersion version) {
  constexpr std::uint32_t kMaxLengthField = 65535;
  return version == IpVersion::v4 ? kMaxLengthField : kMaxLengthField + ip_header_bytes(version);
}

std::vector<Fragment> fragments_of(std::uint32_t packet_bytes, std::uint32_t mtu,
                                   IpVersion version) {
  SLOWPATH_ASSERT(mtu >= min_mtu(version));
  const std::uint32_t header = ip_header_bytes(version);
  SLOWPATH_ASSERT(packet_bytes >= header && packet_bytes <= max_packet_bytes(version));
  const std::uint32_t payload = packet_bytes - header;
  if (packet_bytes <= mtu) return {{0, payload, packet_bytes}};

  constexpr std::uint32_t kFragmentHeaderBytes = 8;
  const std::uint32_t around = header + (version == IpVersion::v6 ? kFragmentHeaderBytes : 0);
  // Offsets count in units of eight bytes.
  const std::uint32_t most = (mtu - around) / 8 * 8;
  std::vector<Fragment> fragments;
  for (std::uint32_t offset = 0; offset < payload; offset += most) {
    const std::uint32_t length = std::min(most, payload - offset);
    fragments.push_back({offset, length, length + around});
  }
  return fragments;
}

}  // namespace slowpath::arithmetic
