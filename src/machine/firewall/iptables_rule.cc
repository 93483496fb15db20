// SPDX-License-Identifier: Apache-2.0
#include "machine/firewall/iptables_rule.h"

#include <algorithm>
#include <array>
#include <utility>

#include "machine/firewall/words.h"

namespace slowpath::machine::firewall {
namespace {

enum class Effect : std::uint8_t { none, accept, drop, back, uncertain, clamp, nat, untrack };
struct Target {
  std::string_view name;
  Effect effect;
};
// iptables-extensions(8), TARGET EXTENSIONS: what comes back to the next rule, and what does not.
constexpr auto kTargets = std::to_array<Target>({{"ACCEPT", Effect::accept},
                                                 {"DROP", Effect::drop},
                                                 {"REJECT", Effect::drop},
                                                 {"RETURN", Effect::back},
                                                 {"TCPMSS", Effect::clamp},
                                                 {"MASQUERADE", Effect::nat},
                                                 {"SNAT", Effect::nat},
                                                 {"DNAT", Effect::nat},
                                                 {"REDIRECT", Effect::nat},
                                                 {"NETMAP", Effect::nat},
                                                 {"SAME", Effect::nat},
                                                 {"NOTRACK", Effect::untrack},
                                                 {"QUEUE", Effect::uncertain},
                                                 {"NFQUEUE", Effect::uncertain},
                                                 {"SYNPROXY", Effect::uncertain},
                                                 {"TARPIT", Effect::uncertain},
                                                 {"STEAL", Effect::uncertain},
                                                 {"TPROXY", Effect::uncertain},
                                                 {"CLUSTERIP", Effect::uncertain},
                                                 {"AUDIT", Effect::none},
                                                 {"CHECKSUM", Effect::none},
                                                 {"CLASSIFY", Effect::none},
                                                 {"CONNMARK", Effect::none},
                                                 {"CONNSECMARK", Effect::none},
                                                 {"CT", Effect::none},
                                                 {"DSCP", Effect::none},
                                                 {"ECN", Effect::none},
                                                 {"HL", Effect::none},
                                                 {"HMARK", Effect::none},
                                                 {"IDLETIMER", Effect::none},
                                                 {"LED", Effect::none},
                                                 {"LOG", Effect::none},
                                                 {"MARK", Effect::none},
                                                 {"NFLOG", Effect::none},
                                                 {"RATEEST", Effect::none},
                                                 {"SECMARK", Effect::none},
                                                 {"SET", Effect::none},
                                                 {"TCPOPTSTRIP", Effect::none},
                                                 {"TEE", Effect::none},
                                                 {"TOS", Effect::none},
                                                 {"TRACE", Effect::none},
                                                 {"TTL", Effect::none},
                                                 {"ULOG", Effect::none}});

// Modules that decide nothing but by options that are looked at, or counted as open, below.
constexpr auto kPlainModules =
    std::to_array<std::string_view>({"tcp", "udp", "icmp", "icmp6", "icmpv6", "conntrack", "state",
                                     "limit", "comment", "hashlimit"});

using Words = std::vector<std::string_view>;

/// Values parted by commas, each a number of `parse`; nothing where one is not known.
template <typename Parse>
std::optional<std::uint64_t> bits_of(std::string_view list, const Parse& parse) {
  std::uint64_t bits = 0;
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const auto bit = parse(list.substr(0, comma));
    if (!bit) return std::nullopt;
    bits |= *bit;
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return bits;
}

class Parser {
 public:
  Parser(std::string_view options, bool is_v6) : is_v6_(is_v6) {
    bool cut = false;
    words_ = rule_words(options, false, cut);
    rule_.text = options;
    if (cut) open();
  }

  Rule parse() {
    while (at_ < words_.size()) {
      const std::string_view word = words_[at_++];
      if (word == "!") {
        negated_ = true;
        continue;
      }
      if (word == "-j" || word == "--jump" || word == "-g" || word == "--goto") {
        target(word == "-g" || word == "--goto");
        break;  // what follows is the target's
      }
      if (word.starts_with('-')) option(word);
      negated_ = false;
    }
    return std::move(rule_);
  }

 private:
  [[nodiscard]] std::string_view next() {
    // Old versions print the "!" behind the option.
    if (at_ < words_.size() && words_[at_] == "!") {
      negated_ = true;
      ++at_;
    }
    return at_ < words_.size() ? words_[at_++] : std::string_view();
  }
  void add(Condition condition) {
    condition.negated = negated_;
    rule_.conditions.push_back(std::move(condition));
  }
  void open() { rule_.conditions.push_back({}); }
  void number(Field field, std::optional<std::uint64_t> value) {
    if (value) {
      add({.field = field, .ranges = {{*value, *value}}});
    } else {
      open();
    }
  }

  void interface(Field field) {
    std::string name(unquoted(next()));
    if (name == "+") return;  // any
    if (name.ends_with('+')) name.back() = '*';
    add({.field = field, .names = {std::move(name)}});
  }

  void icmp() {
    const std::string_view word = next();
    if (word == "any" || (!is_v6_ && word == "255")) return;
    const auto kind = icmp_kind(word, is_v6_);
    if (!kind || (negated_ && kind->code)) return open();
    number(Field::icmp_type, kind->type);
    if (kind->code) number(Field::icmp_code, kind->code);
  }

  void limit(bool is_below) {
    (void)next();
    // A burst apart, the rule holds while packets are few ("below"), or when they are many.
    add({.field = Field::below_rate, .ranges = {{is_below ? 1U : 0U, is_below ? 1U : 0U}}});
  }

  void module() {
    const std::string_view name = next();
    if (std::ranges::find(kPlainModules, name) == kPlainModules.end()) open();
  }

  void option(std::string_view word) {
    if (word == "-m" || word == "--match") return module();
    if (word == "-i" || word == "--in-interface") return interface(Field::in_interface);
    if (word == "-o" || word == "--out-interface") return interface(Field::out_interface);
    if (word == "--icmp-type" || word == "--icmpv6-type") return icmp();
    if (word == "--limit") return limit(true);
    if (word == "--hashlimit-upto" || word == "--hashlimit") return limit(true);
    if (word == "--hashlimit-above") return limit(false);
    if (word == "--comment" || word == "--limit-burst" || word.starts_with("--hashlimit-")) {
      (void)next();
    } else if (word == "-p" || word == "--protocol") {
      const std::string_view name = next();
      if (name != "all" && name != "0") number(Field::protocol, protocol_number(name));
    } else if (word == "--ctstate" || word == "--state") {
      number(Field::ct_state, bits_of(next(), state_bit));
    } else {
      open();  // addresses, ports, marks, and what nobody here knows
    }
  }

  void target(bool is_goto) {
    const std::string_view name = next();
    if (!apply_target(name, rule_)) {
      rule_.action = is_goto ? Action::go_to : Action::jump;
      rule_.target = name;
    }
    if (name == "CT")
      rule_.untracks = std::ranges::find(words_, std::string_view("--notrack")) != words_.end();
  }

  bool is_v6_, negated_ = false;
  Words words_;
  std::size_t at_ = 0;
  Rule rule_;
};

}  // namespace

bool apply_target(std::string_view name, Rule& rule) {
  const auto* found = std::ranges::find(kTargets, name, &Target::name);
  if (found == kTargets.end()) return false;
  rule.clamps_mss = found->effect == Effect::clamp;
  rule.translates = found->effect == Effect::nat;
  rule.untracks = found->effect == Effect::untrack;
  if (found->effect == Effect::accept) rule.action = Action::accept;
  if (found->effect == Effect::drop) rule.action = Action::drop;
  if (found->effect == Effect::back) rule.action = Action::return_;
  if (found->effect == Effect::uncertain) rule.action = Action::uncertain;
  return true;
}

Rule parse_iptables_rule(std::string_view options, bool is_v6) {
  return Parser(options, is_v6).parse();
}

}  // namespace slowpath::machine::firewall
