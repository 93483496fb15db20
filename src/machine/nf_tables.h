// SPDX-License-Identifier: Apache-2.0
// Messages of nf_tables (linux/netfilter/nf_tables.h) as far as they are the same for those who
// read rules and those who write some. All numbers in their attributes are in network order.
#pragma once

#include <cstdint>
#include <optional>

#include "machine/netlink.h"

namespace slowpath::machine::nf_tables {

/// The netlink type of a message of enum nf_tables_msg_types.
std::uint16_t type_of(int message);
/// `family` is one of NFPROTO_*; NFPROTO_UNSPEC asks for all. `flags` as in netlink::Request.
netlink::Request make_request(int message, int flags, std::uint8_t family);
/// The message at either end of what is done as one: NFNL_MSG_BATCH_BEGIN or _END.
netlink::Request batch_mark(std::uint16_t type);

/// The family that a message tells in its header, and its attributes; nothing where it is of
/// another type, or shorter.
struct Body {
  std::uint8_t family = 0;
  netlink::Attributes attributes;
};
std::optional<Body> body_of(const netlink::Message& message, int type);

/// A number of an attribute.
std::optional<std::uint32_t> number(const netlink::Attributes& attributes, unsigned type);

}  // namespace slowpath::machine::nf_tables
