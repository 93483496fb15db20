// SPDX-License-Identifier: Apache-2.0
#include "fix/clamp_rule.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>

namespace slowpath::fix {
namespace {

namespace netlink = machine::netlink;
using netlink::Request;

/// The expressions of one rule, in order. All numbers of nf_tables are in network order.
class Expressions {
 public:
  explicit Expressions(Request& request) : request_(request) {}
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

  template <typename Fill>
  void add(std::string_view name, const Fill& fill) {
    names_.emplace_back(name);
    const std::size_t element = request_.begin_nest(NFTA_LIST_ELEM);
    request_.attribute_text(NFTA_EXPR_NAME, name);
    const std::size_t data = request_.begin_nest(NFTA_EXPR_DATA);
    fill();
    request_.end_nest(data);
    request_.end_nest(element);
  }
  void number(unsigned type, std::uint32_t value) { request_.attribute_u32(type, htonl(value)); }
  void value(unsigned type, Bytes bytes) {
    const std::size_t nest = request_.begin_nest(type);
    request_.attribute(NFTA_DATA_VALUE, bytes);
    request_.end_nest(nest);
  }
  void octet(unsigned type, std::uint8_t value) {
    request_.attribute(type, std::as_bytes(std::span{&value, 1}));
  }

  void meta(std::uint32_t key) {
    add("meta", [&] {
      number(NFTA_META_KEY, key);
      number(NFTA_META_DREG, NFT_REG_1);
    });
  }
  void is(Bytes bytes) {
    add("cmp", [&] {
      number(NFTA_CMP_SREG, NFT_REG_1);
      number(NFTA_CMP_OP, NFT_CMP_EQ);
      value(NFTA_CMP_DATA, bytes);
    });
  }
  void is(std::uint8_t byte) { is(std::as_bytes(std::span{&byte, 1})); }

 private:
  Request& request_;
  std::vector<std::string> names_;
};

/// SYN without RST: a handshake, either way.
void match_syn(Expressions& rule) {
  constexpr std::uint32_t kFlagsOffset = 13;  // RFC 9293 section 3.1
  constexpr std::uint8_t kSyn = 2, kSynAndRst = 6, kNone = 0;
  rule.add("payload", [&] {
    rule.number(NFTA_PAYLOAD_DREG, NFT_REG_1);
    rule.number(NFTA_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER);
    rule.number(NFTA_PAYLOAD_OFFSET, kFlagsOffset);
    rule.number(NFTA_PAYLOAD_LEN, 1);
  });
  rule.add("bitwise", [&] {
    rule.number(NFTA_BITWISE_SREG, NFT_REG_1);
    rule.number(NFTA_BITWISE_DREG, NFT_REG_1);
    rule.number(NFTA_BITWISE_LEN, 1);
    rule.value(NFTA_BITWISE_MASK, std::as_bytes(std::span{&kSynAndRst, 1}));
    rule.value(NFTA_BITWISE_XOR, std::as_bytes(std::span{&kNone, 1}));
  });
  rule.is(kSyn);
}

/// Writes what the route's MTU allows into the option. The kernel never makes an MSS larger.
void set_mss(Expressions& rule) {
  constexpr std::uint8_t kMaximumSegmentSize = 2;  // RFC 9293 section 3.2
  constexpr std::uint32_t kValueOffset = 2, kValueBytes = 2;
  rule.add("rt", [&] {
    rule.number(NFTA_RT_DREG, NFT_REG_1);
    rule.number(NFTA_RT_KEY, NFT_RT_TCPMSS);
  });
  rule.add("byteorder", [&] {
    rule.number(NFTA_BYTEORDER_SREG, NFT_REG_1);
    rule.number(NFTA_BYTEORDER_DREG, NFT_REG_1);
    rule.number(NFTA_BYTEORDER_OP, NFT_BYTEORDER_HTON);
    rule.number(NFTA_BYTEORDER_LEN, kValueBytes);
    rule.number(NFTA_BYTEORDER_SIZE, kValueBytes);
  });
  rule.add("exthdr", [&] {
    rule.number(NFTA_EXTHDR_SREG, NFT_REG_1);
    rule.octet(NFTA_EXTHDR_TYPE, kMaximumSegmentSize);
    rule.number(NFTA_EXTHDR_OFFSET, kValueOffset);
    rule.number(NFTA_EXTHDR_LEN, kValueBytes);
    rule.number(NFTA_EXTHDR_OP, NFT_EXTHDR_OP_TCPOPT);
  });
}

}  // namespace

std::vector<std::string> add_clamp_expressions(Request& request, std::string_view interface) {
  const std::size_t list = request.begin_nest(NFTA_RULE_EXPRESSIONS);
  Expressions rule(request);
  if (!interface.empty()) {
    std::array<char, IFNAMSIZ> name{};
    std::memcpy(name.data(), interface.data(), std::min(interface.size(), name.size() - 1));
    rule.meta(NFT_META_OIFNAME);
    rule.is(std::as_bytes(std::span{name}));
  }
  rule.meta(NFT_META_L4PROTO);
  rule.is(std::uint8_t{IPPROTO_TCP});
  match_syn(rule);
  set_mss(rule);
  request.end_nest(list);
  return rule.names();
}

std::vector<std::string> expression_names(const netlink::Attributes& rule) {
  std::vector<std::string> names;
  for (const netlink::Attribute& each : rule.nested(NFTA_RULE_EXPRESSIONS))
    names.push_back(netlink::Attributes{each.payload}.text(NFTA_EXPR_NAME));
  return names;
}

}  // namespace slowpath::fix
