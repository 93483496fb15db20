// SPDX-License-Identifier: Apache-2.0
#include "fix/mss_clamp.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include <fmt/format.h>

#include "fix/clamp_rule.h"
#include "fix/refusal.h"
#include "machine/netlink.h"
#include "machine/nf_tables.h"

namespace slowpath::fix {
namespace {

namespace netlink = machine::netlink;
namespace nf_tables = machine::nf_tables;
using netlink::Request;

constexpr std::string_view kChain = "clamp";
constexpr std::int32_t kManglePriority = -150;  // NF_IP_PRI_MANGLE

std::string table_of(std::string_view item) {
  return item == kAnyInterface ? "slowpath_mss" : fmt::format("slowpath_mss_{}", item);
}

/// Empty: any.
std::string_view interface_of(std::string_view item) {
  return item == kAnyInterface ? std::string_view{} : item;
}

/// In nft(8)'s words, one line.
std::string making(std::string_view item) {
  return fmt::format(
      "add table inet {0}; add chain inet {0} {1} {{ type filter hook forward priority mangle; }}; "
      "add rule inet {0} {1} {2}tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu",
      table_of(item), kChain, item == kAnyInterface ? "" : fmt::format("oifname \"{}\" ", item));
}

Request make_request(int message, int flags) {
  return nf_tables::make_request(message, flags, NFPROTO_INET);
}

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
  add_clamp_expressions(request, interface_of(item));
  return request;
}

std::unexpected<Error> refused(const std::string& attempt, int code) {
  const bool absent = code == EPROTONOSUPPORT || code == EOPNOTSUPP || code == EINVAL;
  return refused_by_kernel(
      ErrorKind::environment, attempt, code,
      absent ? "this kernel has no nf_tables; clamp with iptables(8), TCPMSS" : "");
}

Result<netlink::Socket> open_socket(const std::string& attempt) {
  std::expected<netlink::Socket, int> socket = netlink::Socket::open(NETLINK_NETFILTER);
  if (!socket) return refused(attempt, socket.error());
  return std::move(*socket);
}

std::optional<std::vector<std::string>> names_in(const netlink::Message& message) {
  const auto rule = nf_tables::body_of(message, NFT_MSG_NEWRULE);
  if (!rule) return std::nullopt;
  return expression_names(rule->attributes);
}

/// The names of the expressions of the rule that would be made.
std::vector<std::string> names_of_clamp(std::string_view item) {
  Request request = make_request(NFT_MSG_NEWRULE, 0);
  return add_clamp_expressions(request, interface_of(item));
}

Result<void> send(netlink::Socket& socket, std::vector<Request> steps, const std::string& attempt) {
  steps.insert(steps.begin(), nf_tables::batch_mark(NFNL_MSG_BATCH_BEGIN));
  steps.push_back(nf_tables::batch_mark(NFNL_MSG_BATCH_END));
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
  const bool is_ours = rules->size() == 1 && rules->front() == names_of_clamp(knob.item);
  return is_ours ? "on" : "changed";
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
