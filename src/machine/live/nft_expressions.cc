// SPDX-License-Identifier: Apache-2.0
#include "machine/live/nft_expressions.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <string_view>
#include <utility>

#include "machine/firewall/iptables_rule.h"
#include "machine/live/nft_value.h"
#include "machine/live/xtables_match.h"
#include "machine/nf_tables.h"

namespace slowpath::machine {
namespace {

using firewall::Action;
using firewall::Condition;
using firewall::Field;
using firewall::Rule;
using netlink::Attributes;

Action action_of(std::int32_t code) {
  switch (code) {
    case NF_ACCEPT:
      return Action::accept;
    case NF_DROP:
      return Action::drop;
    case NFT_CONTINUE:
    case NFT_BREAK:
      return Action::none;
    case NFT_JUMP:
      return Action::jump;
    case NFT_GOTO:
      return Action::go_to;
    case NFT_RETURN:
      return Action::return_;
    default:
      return Action::uncertain;
  }
}

class Decoder {
 public:
  explicit Decoder(const NftContext& context) : context_(context) {
    if (context.family == "ip") family_ = 4;
    if (context.family == "ip6") family_ = 6;
  }

  void take(const Attributes& expression) {
    static const std::map<std::string_view, void (Decoder::*)(const Attributes&)> kReaders{
        {"meta", &Decoder::meta},           {"ct", &Decoder::ct},
        {"payload", &Decoder::payload},     {"bitwise", &Decoder::bitwise},
        {"cmp", &Decoder::compare},         {"lookup", &Decoder::lookup},
        {"immediate", &Decoder::immediate}, {"limit", &Decoder::limit},
        {"exthdr", &Decoder::exthdr},       {"match", &Decoder::match},
        {"target", &Decoder::target},
    };
    const std::string name = expression.text(NFTA_EXPR_NAME);
    const Attributes data = expression.nested(NFTA_EXPR_DATA);
    const auto reader = kReaders.find(name);
    if (reader != kReaders.end()) {
      (this->*reader->second)(data);
    } else {
      by_name(name);
    }
  }

  std::vector<Rule> finish() {
    if (rules_.empty()) rules_.push_back(std::move(rule_));
    for (Rule& rule : rules_) rule.text = firewall::describe(rule);
    return std::move(rules_);
  }

 private:
  /// Expressions of which the name is enough.
  void by_name(std::string_view name) {
    static constexpr std::array<std::string_view, 6> kHarmless{"counter", "log",          "dup",
                                                               "last",    "flow_offload", "tunnel"};
    static constexpr std::array<std::string_view, 4> kDeciding{"queue", "tproxy", "synproxy",
                                                               "fwd"};
    if (std::ranges::find(kHarmless, name) != kHarmless.end()) return;
    if (name == "reject") {
      rule_.action = Action::drop;
    } else if (name == "notrack") {
      rule_.untracks = true;
    } else if (name == "masq" || name == "nat" || name == "redir") {
      rule_.translates = true;
    } else if (std::ranges::find(kDeciding, name) != kDeciding.end()) {
      rule_.action = Action::uncertain;
    } else {
      loads_.clear();  // what it loads, if anything, nobody looks at
      // Those that load and do not break the rule off.
      static constexpr std::array<std::string_view, 5> kLoading{"rt", "byteorder", "numgen", "hash",
                                                                "dynset"};
      if (std::ranges::find(kLoading, name) == kLoading.end()) open();
    }
  }

  void open() { rule_.conditions.push_back({}); }
  void load(const Attributes& data, unsigned type, std::optional<NftLoaded> loaded) {
    const auto reg = nf_tables::number(data, type);
    if (!reg) return;
    loads_.erase(*reg);
    if (loaded) loads_[*reg] = *loaded;
  }
  std::optional<NftLoaded> loaded(const Attributes& data, unsigned type) const {
    const auto reg = nf_tables::number(data, type);
    const auto found = reg ? loads_.find(*reg) : loads_.end();
    return found == loads_.end() ? std::nullopt : std::optional(found->second);
  }

  void meta(const Attributes& data) {
    static const std::map<std::uint32_t, NftLoaded> kKeys{
        {NFT_META_NFPROTO, {.field = Field::family, .mask = {}}},
        {NFT_META_PROTOCOL, {.field = Field::family, .is_ethertype = true, .mask = {}}},
        {NFT_META_L4PROTO, {.field = Field::protocol, .mask = {}}},
        {NFT_META_IIFNAME, {.field = Field::in_interface, .mask = {}}},
        {NFT_META_OIFNAME, {.field = Field::out_interface, .mask = {}}},
        {NFT_META_IIF, {.field = Field::in_interface, .mask = 0}},
        {NFT_META_OIF, {.field = Field::out_interface, .mask = 0}},
    };
    const auto found = kKeys.find(nf_tables::number(data, NFTA_META_KEY).value_or(0xFFFF));
    load(data, NFTA_META_DREG, found == kKeys.end() ? std::nullopt : std::optional(found->second));
  }

  void ct(const Attributes& data) {
    const bool is_state = nf_tables::number(data, NFTA_CT_KEY) == std::uint32_t{NFT_CT_STATE};
    load(data, NFTA_CT_DREG,
         is_state ? std::optional(NftLoaded{.field = Field::ct_state, .mask = {}}) : std::nullopt);
  }

  void payload(const Attributes& data) {
    const auto base = nf_tables::number(data, NFTA_PAYLOAD_BASE),
               offset = nf_tables::number(data, NFTA_PAYLOAD_OFFSET),
               size = nf_tables::number(data, NFTA_PAYLOAD_LEN);
    std::optional<NftLoaded> found;
    if (base == std::uint32_t{NFT_PAYLOAD_NETWORK_HEADER} && size == 1U) {
      // RFC 791 section 3.1 and RFC 8200 section 3: where the protocol stands.
      if ((family_ == 4U && offset == 9U) || (family_ == 6U && offset == 6U))
        found = NftLoaded{.field = Field::protocol, .mask = {}};
    }
    if (base == std::uint32_t{NFT_PAYLOAD_TRANSPORT_HEADER} && is_icmp_) {
      if (offset == 0U && size == 1U) found = NftLoaded{.field = Field::icmp_type, .mask = {}};
      if (offset == 1U && size == 1U) found = NftLoaded{.field = Field::icmp_code, .mask = {}};
      if (offset == 0U && size == 2U)
        found = NftLoaded{.field = Field::icmp_type, .is_type_and_code = true, .mask = {}};
    }
    load(data, NFTA_PAYLOAD_DREG, found);
  }

  void bitwise(const Attributes& data) {
    auto from = loaded(data, NFTA_BITWISE_SREG);
    const auto mask = data.nested(NFTA_BITWISE_MASK).find(NFTA_DATA_VALUE);
    if (from && from->field == Field::ct_state && mask) {
      from->mask = netlink::read_struct<std::uint32_t>(*mask);
    } else {
      from.reset();
    }
    load(data, NFTA_BITWISE_DREG, from);
  }

  void compare(const Attributes& data) {
    const auto from = loaded(data, NFTA_CMP_SREG);
    const auto operation = nf_tables::number(data, NFTA_CMP_OP);
    const auto bytes = data.nested(NFTA_CMP_DATA).find(NFTA_DATA_VALUE);
    const bool is_equal = operation == std::uint32_t{NFT_CMP_EQ};
    if (!from || !bytes || (!is_equal && operation != std::uint32_t{NFT_CMP_NEQ})) return open();
    if (from->field == Field::ct_state && from->mask) return compare_bits(*from, *bytes, is_equal);
    Condition condition{.field = from->field, .negated = !is_equal};
    if (!add_nft_bytes(*from, *bytes, context_, condition)) return open();
    remember(condition);
    if (from->is_type_and_code && (!is_equal || bytes->size() != 2)) return open();
    rule_.conditions.push_back(std::move(condition));
    if (!from->is_type_and_code) return;
    const auto code = std::to_integer<std::uint64_t>((*bytes)[1]);
    rule_.conditions.push_back({.field = Field::icmp_code, .ranges = {{code, code}}});
  }

  /// "ct state & mask != 0", and "== 0".
  void compare_bits(const NftLoaded& from, Bytes bytes, bool is_equal) {
    if (nft_value_of(from, bytes) != 0U) return open();
    rule_.conditions.push_back(
        {.field = Field::ct_state, .negated = is_equal, .ranges = {{*from.mask, *from.mask}}});
  }

  /// What later expressions depend on.
  void remember(const Condition& condition) {
    if (condition.negated || condition.ranges.empty()) return;
    const std::uint64_t value = condition.ranges.front().first;
    if (condition.field == Field::family) family_ = value;
    if (condition.field == Field::protocol) is_icmp_ = value == 1 || value == 58;
  }

  void lookup(const Attributes& data) {
    const auto from = loaded(data, NFTA_LOOKUP_SREG);
    const NftSet* set = context_.set_named(data.text(NFTA_LOOKUP_SET));
    const bool is_map = nf_tables::number(data, NFTA_LOOKUP_DREG) == std::uint32_t{NFT_REG_VERDICT};
    if (is_map) return map(from, set);
    // A value that a map loads decides nothing by itself, but that there is one does.
    const bool is_inverse =
        (nf_tables::number(data, NFTA_LOOKUP_FLAGS).value_or(0) & NFT_LOOKUP_F_INV) != 0;
    Condition condition{.field = from ? from->field : Field::other, .negated = is_inverse};
    if (!from || set == nullptr || !add_nft_set(*from, *set, context_, condition)) return open();
    rule_.conditions.push_back(std::move(condition));
  }

  void map(const std::optional<NftLoaded>& from, const NftSet* set) {
    if (set == nullptr || set->is_interval) {
      rule_.action = Action::uncertain;
      return;
    }
    for (const NftElement& element : set->elements) {
      Rule rule = rule_;
      Condition condition{.field = from ? from->field : Field::other};
      const bool is_known = from && is_plain_key(*from, element) &&
                            add_nft_bytes(*from, element.key, context_, condition);
      rule.conditions.push_back(is_known ? std::move(condition) : Condition{});
      rule.action = element.verdict.value_or(Action::uncertain);
      rule.target = element.target;
      rules_.push_back(std::move(rule));
    }
  }

  void immediate(const Attributes& data) {
    const auto to = nf_tables::number(data, NFTA_IMMEDIATE_DREG);
    if (to != std::uint32_t{NFT_REG_VERDICT}) return load(data, NFTA_IMMEDIATE_DREG, std::nullopt);
    const NftElement verdict =
        parse_nft_verdict(data.nested(NFTA_IMMEDIATE_DATA).nested(NFTA_DATA_VERDICT));
    rule_.action = verdict.verdict.value_or(Action::uncertain);
    rule_.target = verdict.target;
  }

  void limit(const Attributes& data) {
    const bool is_over =
        (nf_tables::number(data, NFTA_LIMIT_FLAGS).value_or(0) & NFT_LIMIT_F_INV) != 0;
    const std::uint64_t holds = is_over ? 0 : 1;
    rule_.conditions.push_back({.field = Field::below_rate, .ranges = {{holds, holds}}});
  }

  void exthdr(const Attributes& data) {
    constexpr std::uint8_t kMaximumSegmentSize = 2;  // RFC 9293 section 3.2
    const bool is_option =
        nf_tables::number(data, NFTA_EXTHDR_OP) == std::uint32_t{NFT_EXTHDR_OP_TCPOPT};
    if (data.find(NFTA_EXTHDR_SREG)) {
      rule_.clamps_mss =
          rule_.clamps_mss || (is_option && data.u8(NFTA_EXTHDR_TYPE) == kMaximumSegmentSize);
      return;
    }
    load(data, NFTA_EXTHDR_DREG, std::nullopt);
    open();  // a packet without the header goes no further
  }

  void match(const Attributes& data) {
    const std::string name = data.text(NFTA_MATCH_NAME);
    const XtablesMatch found =
        parse_xtables_match(name, nf_tables::number(data, NFTA_MATCH_REV).value_or(0),
                            data.find(NFTA_MATCH_INFO).value_or(Bytes{}));
    rule_.conditions.insert(rule_.conditions.end(), found.conditions.begin(),
                            found.conditions.end());
    if (!found.is_whole) open();
  }

  void target(const Attributes& data) {
    const std::string name = data.text(NFTA_TARGET_NAME);
    if (!firewall::apply_target(name, rule_)) {
      rule_.action = Action::uncertain;
      rule_.is_opaque = true;
    }
    if (name == "CT")
      rule_.untracks = xtables_ct_untracks(data.find(NFTA_TARGET_INFO).value_or(Bytes{}));
  }

  const NftContext& context_;
  std::optional<std::uint64_t> family_;
  bool is_icmp_ = false;
  std::map<std::uint32_t, NftLoaded> loads_;
  Rule rule_;
  std::vector<Rule> rules_;
};

}  // namespace

NftElement parse_nft_verdict(const Attributes& verdict) {
  NftElement result;
  const auto code = nf_tables::number(verdict, NFTA_VERDICT_CODE);
  if (!code) return result;
  result.verdict = action_of(static_cast<std::int32_t>(*code));
  result.target = verdict.text(NFTA_VERDICT_CHAIN);
  return result;
}

std::vector<Rule> parse_nft_expressions(const Attributes& expressions, const NftContext& context) {
  Decoder decoder(context);
  for (const netlink::Attribute& each : expressions) decoder.take(Attributes{each.payload});
  return decoder.finish();
}

}  // namespace slowpath::machine
