// SPDX-License-Identifier: Apache-2.0
#include "fix/mss_clamp.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include <fmt/format.h>

#include "machine/netlink.h"

namespace slowpath::fix {
namespace {

namespace netlink = machine::netlink;
using netlink::Request;

constexpr std::string_view kChain = "clamp";
constexpr std::int32_t kManglePriority = -150;  // NF_IP_PRI_MANGLE

std::string table_of(std::string_view item) {
  return item == kAnyInterface ? "slowpath_mss" : fmt::format("slowpath_mss_{}", item);
}

/// In nft(8)'s words, one line.
std::string making(std::string_view item) {
  return fmt::format(
      "add table inet {0}; add chain inet {0} {1} {{ type filter hook forward priority mangle; }}; "
      "add rule inet {0} {1} {2}tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu",
      table_of(item), kChain, item == kAnyInterface ? "" : fmt::format("oifname \"{}\" ", item));
}

std::uint16_t type_of(int message) {
  return static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message);
}

Request make_request(int message, int flags) {
  Request request{type_of(message), static_cast<std::uint16_t>(flags)};
  request.body(nfgenmsg{.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0, .res_id = 0});
  return request;
}

/// The message at either end of what is done as one.
Request batch_mark(std::uint16_t type) {
  Request request{type, 0};
  request.body(nfgenmsg{
      .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES)});
  return request;
}

/// The expressions of one rule, in order. All numbers of nf_tables are in network order.
class Expressions {
 public:
  explicit Expressions(Request& request) : request_(request) {}

  template <typename Fill>
  void add(std::string_view name, const Fill& fill) {
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

// What the rule consists of; an interface adds two in front.
constexpr std::array<std::string_view, 9> kRule{"meta",    "cmp", "meta", "cmp",      "payload",
                                                "bitwise", "cmp", "rt",   "byteorder"};
constexpr std::string_view kRuleEnd = "exthdr";

Request new_chain(const std::string& table) {
  Request chain = make_request(NFT_MSG_NEWCHAIN, NLM_F_CREATE);
  chain.attribute_text(NFTA_CHAIN_TABLE, table).attribute_text(NFTA_CHAIN_NAME, kChain);
  const std::size_t hook = chain.begin_nest(NFTA_CHAIN_HOOK);
  chain.attribute_u32(NFTA_HOOK_HOOKNUM, htonl(NF_INET_FORWARD));
  chain.attribute_u32(NFTA_HOOK_PRIORITY, htonl(static_cast<std::uint32_t>(kManglePriority)));
  chain.end_nest(hook);
  chain.attribute_text(NFTA_CHAIN_TYPE, "filter");
  return chain;
}

Request new_rule(const std::string& table, std::string_view item) {
  Request request = make_request(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
  request.attribute_text(NFTA_RULE_TABLE, table).attribute_text(NFTA_RULE_CHAIN, kChain);
  const std::size_t list = request.begin_nest(NFTA_RULE_EXPRESSIONS);
  Expressions rule(request);
  if (item != kAnyInterface) {
    std::array<char, IFNAMSIZ> name{};
    std::memcpy(name.data(), item.data(), std::min(item.size(), name.size() - 1));
    rule.meta(NFT_META_OIFNAME);
    rule.is(std::as_bytes(std::span{name}));
  }
  rule.meta(NFT_META_L4PROTO);
  rule.is(std::uint8_t{IPPROTO_TCP});
  match_syn(rule);
  set_mss(rule);
  request.end_nest(list);
  return request;
}

std::unexpected<Error> refused(const std::string& attempt, int code) {
  const bool forbidden = code == EPERM || code == EACCES;
  const bool absent = code == EPROTONOSUPPORT || code == EOPNOTSUPP || code == EINVAL;
  return fail(ErrorKind::environment, attempt, std::strerror(code),
              forbidden ? "this needs cap_net_admin: run it as root"
              : absent  ? "this kernel has no nf_tables; clamp with iptables(8), TCPMSS"
                        : "");
}

Result<netlink::Socket> open_socket(const std::string& attempt) {
  std::expected<netlink::Socket, int> socket = netlink::Socket::open(NETLINK_NETFILTER);
  if (!socket) return refused(attempt, socket.error());
  return std::move(*socket);
}

/// The names of a rule's expressions.
std::optional<std::vector<std::string>> names_in(const netlink::Message& message) {
  if (message.type != type_of(NFT_MSG_NEWRULE)) return std::nullopt;
  std::vector<std::string> names;
  const netlink::Attributes rule = netlink::attributes_after(message.payload, sizeof(nfgenmsg));
  for (const netlink::Attribute& each : rule.nested(NFTA_RULE_EXPRESSIONS))
    names.push_back(netlink::Attributes{each.payload}.text(NFTA_EXPR_NAME));
  return names;
}

bool is_ours(const std::vector<std::vector<std::string>>& rules, std::string_view item) {
  if (rules.size() != 1 || rules.front().empty() || rules.front().back() != kRuleEnd) return false;
  const std::size_t skipped = item == kAnyInterface ? 2 : 0;
  return std::equal(kRule.begin() + skipped, kRule.end(), rules.front().begin(),
                    rules.front().end() - 1);
}

Result<void> send(netlink::Socket& socket, std::vector<Request> steps, const std::string& attempt) {
  steps.insert(steps.begin(), batch_mark(NFNL_MSG_BATCH_BEGIN));
  steps.push_back(batch_mark(NFNL_MSG_BATCH_END));
  if (const int code = socket.ask_together(steps); code != 0) return refused(attempt, code);
  return {};
}

}  // namespace

bool is_mss_clamp_item(std::string_view item) {
  return !item.empty() && item.size() < IFNAMSIZ &&
         std::ranges::all_of(
             item,
             [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-' || c == '.';
             });
}

std::string mss_clamp_command(std::string_view item) {
  return fmt::format("nft '{}'", making(item));
}

std::string mss_clamp_start_command(std::string_view item) {
  // A table must be there to be deleted.
  return fmt::format("nft 'add table inet {0}; delete table inet {0}; {1}'", table_of(item),
                     making(item));
}

std::string mss_clamp_undo(std::string_view item) {
  return fmt::format("nft delete table inet {}", table_of(item));
}

std::optional<std::string> mss_clamp_item_of(std::string_view command) {
  if (!command.starts_with("nft ")) return std::nullopt;
  constexpr std::string_view kName = "oifname \"";
  std::string item(kAnyInterface);
  if (const std::size_t at = command.find(kName); at != std::string_view::npos) {
    const std::string_view rest = command.substr(at + kName.size());
    item = rest.substr(0, rest.find('"'));
  }
  if (!is_mss_clamp_item(item) || single_spaced(command) != mss_clamp_command(item))
    return std::nullopt;
  return item;
}

Result<std::string> read_mss_clamp(const Knob& knob) {
  const std::string attempt = "cannot read " + to_string(knob), table = table_of(knob.item);
  Result<netlink::Socket> socket = open_socket(attempt);
  if (!socket) return std::unexpected(socket.error());
  Request table_request = make_request(NFT_MSG_GETTABLE, 0);
  table_request.attribute_text(NFTA_TABLE_NAME, table);
  const int code = socket->ask(table_request, [](const netlink::Message&) {});
  if (code == ENOENT) return "off";
  if (code != 0) return refused(attempt, code);
  Request rules_request = make_request(NFT_MSG_GETRULE, NLM_F_DUMP);
  rules_request.attribute_text(NFTA_RULE_TABLE, table);
  const auto rules = netlink::read_list(*socket, rules_request, names_in);
  if (!rules) return refused(attempt, rules.error());
  return is_ours(*rules, knob.item) ? "on" : "changed";
}

Result<void> write_mss_clamp(const Knob& knob, const std::string& value) {
  const std::string attempt = fmt::format("cannot turn {} {}", to_string(knob), value);
  if (value != "on" && value != "off")
    return fail(ErrorKind::usage, attempt, "a clamp is on or off");
  const Result<std::string> now = read_mss_clamp(knob);
  if (!now) return std::unexpected(now.error());
  if (*now == value) return {};
  const std::string table = table_of(knob.item);
  if (*now == "changed" && value == "on")
    return fail(ErrorKind::usage, attempt,
                fmt::format("the table inet {} is there and says something else", table),
                mss_clamp_undo(knob.item) + " takes it away");
  Result<netlink::Socket> socket = open_socket(attempt);
  if (!socket) return std::unexpected(socket.error());
  std::vector<Request> steps;
  if (value == "on") {
    steps.push_back(make_request(NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL));
    steps.back().attribute_text(NFTA_TABLE_NAME, table);
    steps.push_back(new_chain(table));
    steps.push_back(new_rule(table, knob.item));
  } else {
    steps.push_back(make_request(NFT_MSG_DELTABLE, 0));
    steps.back().attribute_text(NFTA_TABLE_NAME, table);
  }
  return send(*socket, std::move(steps), attempt);
}

}  // namespace slowpath::fix
