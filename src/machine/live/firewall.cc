// SPDX-License-Identifier: Apache-2.0
#include "machine/live/firewall.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <expected>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "machine/firewall/report.h"
#include "machine/live/nft_expressions.h"
#include "machine/nf_tables.h"

namespace slowpath::machine {
namespace {

using firewall::Chain;
using firewall::Hook;
using firewall::Ruleset;
using netlink::Attributes;
using netlink::Message;

constexpr std::size_t kMaxRules = 100'000;
// A set of more elements is not asked for: no set of states, protocols or ICMP types is so large.
constexpr std::size_t kMaxElements = 1000;
constexpr std::string_view kAttempt = "firewall rules (nf_tables)";

std::string_view family_name(std::uint8_t family) {
  switch (family) {
    case NFPROTO_INET:
      return "inet";
    case NFPROTO_IPV4:
      return "ip";
    case NFPROTO_IPV6:
      return "ip6";
    case NFPROTO_NETDEV:
      return "netdev";
    default:
      return {};  // arp and bridge: not on the way of IP
  }
}

std::optional<Hook> hook_of(std::uint8_t family, std::uint32_t number) {
  if (family == NFPROTO_NETDEV)
    return number == NF_NETDEV_INGRESS ? std::optional(Hook::ingress) : std::nullopt;
  constexpr std::array kHooks{Hook::prerouting, Hook::input,       Hook::forward,
                              Hook::output,     Hook::postrouting, Hook::ingress};
  return number < kHooks.size() ? std::optional(kHooks[number]) : std::nullopt;
}

/// The name of a table whose chains the kernel does not call.
std::optional<std::pair<std::uint8_t, std::string>> parse_dormant(const Message& message) {
  const auto body = nf_tables::body_of(message, NFT_MSG_NEWTABLE);
  if (!body) return std::nullopt;
  const auto flags = nf_tables::number(body->attributes, NFTA_TABLE_FLAGS);
  if ((flags.value_or(0) & NFT_TABLE_F_DORMANT) == 0) return std::nullopt;
  return std::pair(body->family, body->attributes.text(NFTA_TABLE_NAME));
}

std::optional<std::pair<std::uint8_t, Chain>> parse_chain(const Message& message) {
  const auto body = nf_tables::body_of(message, NFT_MSG_NEWCHAIN);
  if (!body || family_name(body->family).empty()) return std::nullopt;
  const Attributes& attributes = body->attributes;
  Chain chain{.family = std::string(family_name(body->family)),
              .table = attributes.text(NFTA_CHAIN_TABLE),
              .name = attributes.text(NFTA_CHAIN_NAME)};
  chain.is_nat = attributes.text(NFTA_CHAIN_TYPE) == "nat";
  const Attributes hook = attributes.nested(NFTA_CHAIN_HOOK);
  if (const auto number = nf_tables::number(hook, NFTA_HOOK_HOOKNUM)) {
    chain.hook = hook_of(body->family, *number);
    chain.priority =
        static_cast<std::int32_t>(nf_tables::number(hook, NFTA_HOOK_PRIORITY).value_or(0));
    chain.drops_rest = nf_tables::number(attributes, NFTA_CHAIN_POLICY) == std::uint32_t{NF_DROP};
  }
  return std::pair(body->family, std::move(chain));
}

/// A rule whose sets are not yet read.
struct RawRule {
  std::uint8_t family = 0;
  std::string table, chain;
  std::uint64_t handle = 0;
  std::vector<std::byte> expressions;
};

std::optional<RawRule> parse_rule(const Message& message) {
  const auto body = nf_tables::body_of(message, NFT_MSG_NEWRULE);
  if (!body || family_name(body->family).empty()) return std::nullopt;
  const Attributes& attributes = body->attributes;
  const auto handle = attributes.find(NFTA_RULE_HANDLE);
  RawRule rule{body->family,
               attributes.text(NFTA_RULE_TABLE),
               attributes.text(NFTA_RULE_CHAIN),
               handle && handle->size() == 8 ? load_be64(handle->data()) : 0,
               {}};
  const Bytes expressions = attributes.find(NFTA_RULE_EXPRESSIONS).value_or(Bytes{});
  rule.expressions.assign(expressions.begin(), expressions.end());
  return rule;
}

std::vector<NftElement> parse_elements(const Message& message) {
  std::vector<NftElement> elements;
  const auto body = nf_tables::body_of(message, NFT_MSG_NEWSETELEM);
  if (!body) return elements;
  for (const netlink::Attribute& each : body->attributes.nested(NFTA_SET_ELEM_LIST_ELEMENTS)) {
    const Attributes told{each.payload};
    NftElement element =
        parse_nft_verdict(told.nested(NFTA_SET_ELEM_DATA).nested(NFTA_DATA_VERDICT));
    const Bytes key = told.nested(NFTA_SET_ELEM_KEY).find(NFTA_DATA_VALUE).value_or(Bytes{});
    element.key.assign(key.begin(), key.end());
    element.ends_interval =
        (nf_tables::number(told, NFTA_SET_ELEM_FLAGS).value_or(0) & NFT_SET_ELEM_INTERVAL_END) != 0;
    elements.push_back(std::move(element));
  }
  return elements;
}

/// Reads one socket's rules. Errors are errnos.
class Reader {
 public:
  explicit Reader(netlink::Socket& socket, const MachineFacts& machine)
      : socket_(socket), machine_(machine) {}

  std::expected<Ruleset, int> read() {
    auto tables = nf_tables::make_request(NFT_MSG_GETTABLE, NLM_F_DUMP, NFPROTO_UNSPEC);
    const auto dormant = netlink::read_list(socket_, tables, parse_dormant);
    if (!dormant) return std::unexpected(dormant.error());
    auto chains = nf_tables::make_request(NFT_MSG_GETCHAIN, NLM_F_DUMP, NFPROTO_UNSPEC);
    auto told = netlink::read_list(socket_, chains, parse_chain);
    if (!told) return std::unexpected(told.error());
    auto rules = nf_tables::make_request(NFT_MSG_GETRULE, NLM_F_DUMP, NFPROTO_UNSPEC);
    const auto raw = netlink::read_list(socket_, rules, parse_rule);
    if (!raw) return std::unexpected(raw.error());
    Ruleset ruleset;
    for (auto& [family, chain] : *told) {
      if (std::ranges::find(*dormant, std::pair(family, chain.table)) != dormant->end())
        chain.hook.reset();
      places_.try_emplace({chain.family, chain.table, chain.name}, ruleset.chains.size());
      ruleset.chains.push_back(std::move(chain));
    }
    if (raw->size() > kMaxRules) ruleset.incomplete = "there are more rules than are read";
    for (std::size_t at = 0; at < std::min(raw->size(), kMaxRules); ++at) add((*raw)[at], ruleset);
    return ruleset;
  }

 private:
  void add(const RawRule& raw, Ruleset& ruleset) {
    const std::string family(family_name(raw.family));
    const auto place = places_.find({family, raw.table, raw.chain});
    if (place == places_.end()) return;  // made meanwhile
    const NftContext context{.family = family,
                             .set_named = [&](const std::string& name) { return set(raw, name); },
                             .interface_name = [&](std::uint32_t index) { return name_of(index); }};
    for (firewall::Rule& rule : parse_nft_expressions(Attributes{raw.expressions}, context)) {
      rule.text = fmt::format("handle {}: {}", raw.handle, rule.text);
      ruleset.chains[place->second].rules.push_back(std::move(rule));
    }
  }

  [[nodiscard]] std::string name_of(std::uint32_t index) const {
    const auto found = std::ranges::find(machine_.interfaces, index, &InterfaceFacts::index);
    return found == machine_.interfaces.end() ? std::string() : found->name;
  }

  const NftSet* set(const RawRule& rule, const std::string& name) {
    const auto [place, is_new] = sets_.try_emplace({rule.family, rule.table, name}, std::nullopt);
    if (is_new) place->second = read_set(rule, name);
    return place->second ? &*place->second : nullptr;
  }

  std::optional<NftSet> read_set(const RawRule& rule, const std::string& name) {
    NftSet set;
    auto about = nf_tables::make_request(NFT_MSG_GETSET, 0, rule.family);
    about.attribute_text(NFTA_SET_TABLE, rule.table).attribute_text(NFTA_SET_NAME, name);
    const int code = socket_.ask(about, [&](const Message& message) {
      const auto body = nf_tables::body_of(message, NFT_MSG_NEWSET);
      if (!body) return;
      const auto flags = nf_tables::number(body->attributes, NFTA_SET_FLAGS).value_or(0);
      set.is_interval = (flags & NFT_SET_INTERVAL) != 0;
    });
    if (code != 0) return std::nullopt;
    auto request = nf_tables::make_request(NFT_MSG_GETSETELEM, NLM_F_DUMP, rule.family);
    request.attribute_text(NFTA_SET_ELEM_LIST_TABLE, rule.table)
        .attribute_text(NFTA_SET_ELEM_LIST_SET, name);
    const int listed = socket_.ask(request, [&](const Message& message) {
      if (set.elements.size() > kMaxElements) return;
      std::ranges::move(parse_elements(message), std::back_inserter(set.elements));
    });
    if (listed != 0 || set.elements.size() > kMaxElements) return std::nullopt;
    return set;
  }

  netlink::Socket& socket_;
  const MachineFacts& machine_;
  std::map<std::tuple<std::string, std::string, std::string>, std::size_t> places_;
  std::map<std::tuple<std::uint8_t, std::string, std::string>, std::optional<NftSet>> sets_;
};

/// What is missing of a family's rules where iptables-legacy holds tables, or may; it is noted.
/// Only nf_tables is decoded here.
std::string missing_of_legacy(const HostFiles& files, bool is_v4, MachineFacts& machine) {
  const std::string_view six = is_v4 ? "" : "6";
  const std::string path = proc_net(files, fmt::format("ip{}_tables_names", six));
  const auto told = files.read(path);
  const std::string what = fmt::format("rules of ip{}tables-legacy", six);
  if (!told && told.error() != ENOENT) {
    add_unread(machine.unread, what, told.error(), "cap_dac_read_search");
    return machine.unread.back().why;
  }
  std::string tables(told ? trimmed(*told) : std::string_view());
  if (tables.empty()) return {};
  std::ranges::replace(tables, '\n', ' ');
  std::string missing =
      fmt::format("they are not part of nf_tables; ip{}tables-legacy-save prints them", six);
  machine.unread.push_back({fmt::format("{} ({})", what, tables), missing, ""});
  return missing;
}

}  // namespace

void read_firewall(const HostFiles& files, MachineFacts& machine) {
  auto socket = netlink::Socket::open(NETLINK_NETFILTER);
  auto ruleset = socket ? Reader(*socket, machine).read() : std::unexpected(socket.error());
  if (!ruleset && (ruleset.error() == EPROTONOSUPPORT || ruleset.error() == EINVAL)) {
    ruleset = Ruleset{};  // a kernel without nf_tables has no such rules
  }
  if (!ruleset) {
    add_unread(machine.unread, std::string(kAttempt), ruleset.error(), "cap_net_admin");
    return;
  }
  const std::string incomplete = ruleset->incomplete;
  for (const bool is_v4 : {true, false}) {
    Ruleset part = *ruleset;
    part.v4 = is_v4;
    part.v6 = !is_v4;
    if (std::string missing = missing_of_legacy(files, is_v4, machine); !missing.empty())
      part.incomplete = std::move(missing);
    firewall::tell(std::move(part), {"nf_tables (netlink)"}, machine);
  }
  if (!incomplete.empty()) machine.unread.push_back({std::string(kAttempt), incomplete, ""});
}

}  // namespace slowpath::machine
