// SPDX-License-Identifier: Apache-2.0
#include "machine/nf_tables.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

namespace slowpath::machine::nf_tables {

std::uint16_t type_of(int message) {
  return static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message);
}

netlink::Request make_request(int message, int flags, std::uint8_t family) {
  netlink::Request request{type_of(message), static_cast<std::uint16_t>(flags)};
  request.body(nfgenmsg{.nfgen_family = family, .version = NFNETLINK_V0, .res_id = 0});
  return request;
}

netlink::Request batch_mark(std::uint16_t type) {
  netlink::Request request{type, 0};
  request.body(nfgenmsg{
      .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES)});
  return request;
}

std::optional<Body> body_of(const netlink::Message& message, int type) {
  const auto header = netlink::read_struct<nfgenmsg>(message.payload);
  if (message.type != type_of(type) || !header) return std::nullopt;
  return Body{header->nfgen_family, netlink::attributes_after(message.payload, sizeof(nfgenmsg))};
}

std::optional<std::uint32_t> number(const netlink::Attributes& attributes, unsigned type) {
  const std::optional<std::uint32_t> raw = attributes.u32(type);
  return raw ? std::optional(ntohl(*raw)) : std::nullopt;
}

}  // namespace slowpath::machine::nf_tables
