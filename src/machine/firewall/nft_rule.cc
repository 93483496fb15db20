// SPDX-License-Identifier: Apache-2.0
#include "machine/firewall/nft_rule.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "machine/firewall/iptables_rule.h"
#include "machine/firewall/nft_key.h"
#include "machine/firewall/nft_words.h"
#include "machine/firewall/words.h"

namespace slowpath::machine::firewall {
namespace {

using Words = std::vector<std::string_view>;

class Parser {
 public:
  Parser(std::string_view line, std::string_view family) : words_(line) {
    common_.text = without_counts(line);
    if (words_.is_cut()) not_known();
    // The words `ip` and `icmp` bind a rule of an inet table to a protocol; a table of one family
    // has that already.
    binds_ = family != "ip" && family != "ip6";
  }

  std::vector<Rule> parse() {
    while (!is_done_ && !words_.is_at_end()) statement();
    if (rules_.empty()) rules_.push_back(common_);
    for (Rule& rule : rules_) rule.is_opaque = common_.is_opaque;
    return std::move(rules_);
  }

 private:
  void not_known() { common_.conditions.push_back({}); }
  void opaque() {
    not_known();
    common_.is_opaque = true;
  }
  void is(Field field, std::uint64_t value) {
    common_.conditions.push_back({.field = field, .ranges = {{value, value}}});
  }

  bool verdict(std::string_view word, Rule& rule) {
    if (word == "accept") {
      rule.action = Action::accept;
    } else if (word == "drop" || word == "reject") {
      rule.action = Action::drop;
    } else if (word == "return") {
      rule.action = Action::return_;
    } else if (word == "jump" || word == "goto") {
      rule.action = word == "jump" ? Action::jump : Action::go_to;
      rule.target = words_.next();
    } else if (word == "queue" || word == "tproxy" || word == "synproxy" || word == "fwd") {
      rule.action = Action::uncertain;
    } else {
      return false;
    }
    return true;
  }

  void statement() {
    const std::string_view word = words_.next();
    if (verdict(word, common_)) {
      is_done_ = true;
    } else if (word == "masquerade" || word == "snat" || word == "dnat" || word == "redirect") {
      common_.translates = true;
      is_done_ = true;
    } else if (word == "notrack") {
      common_.untracks = true;
    } else if (word == "continue") {
      is_done_ = true;
    } else if (word == "counter") {
      words_.skip_counter();
    } else if (word == "limit") {
      limit();
    } else if (word == "log") {
      words_.skip_log();
    } else if (word == "comment") {
      words_.skip();
    } else if (word == "xt" || word == "XT") {
      extension();
    } else {
      expression(word);
    }
  }

  /// What iptables-nft made and nft cannot say in its own words: `xt match NAME`, and where it has
  /// no extensions of iptables, `XT match NAME not found`.
  void extension() {
    const bool is_target = words_.next() == "target";
    const std::string_view name = unquoted(words_.next());
    if (words_.take("not")) (void)words_.take("found");
    if (!is_target) {
      if (name != "comment") not_known();
    } else if (!apply_target(name, common_)) {
      common_.action = Action::uncertain;
      common_.is_opaque = true;
    }
  }

  void limit() {
    if (!words_.take("rate")) return not_known();  // an object with a name
    const bool is_over = words_.take("over");
    words_.skip();  // "10/second", or "10" with "mbytes/second"
    if (words_.peek().find("bytes/") != std::string_view::npos) words_.skip();
    if (words_.take("burst")) words_.skip(2);
    is(Field::below_rate, is_over ? 0 : 1);
  }

  const NftKey* key_of(std::string_view first) {
    if (first == "meta") first = words_.next();
    const NftKey* key = find_nft_key(first, words_.peek());
    if (key != nullptr && !key->second.empty()) words_.skip();
    return key;
  }

  /// What a header's name tells of the packet by itself.
  void bind(std::string_view first) {
    if (first == "icmp") is(Field::protocol, 1);
    if (first == "icmpv6") is(Field::protocol, 58);
    if (first == "tcp") is(Field::protocol, 6);
    if (first == "udp") is(Field::protocol, 17);
    if (binds_ && (first == "ip" || first == "icmp")) is(Field::family, 4);
    if (binds_ && (first == "ip6" || first == "icmpv6")) is(Field::family, 6);
  }

  void expression(std::string_view first) {
    const std::size_t begin = words_.place();
    if (first == "tcp" && words_.peek() == "option" && words_.peek(1) == "maxseg" &&
        words_.peek(2) == "size" && words_.peek(3) == "set") {
      bind(first);
      common_.clamps_mss = true;
      is_done_ = true;
      return;
    }
    // "meta mark set 0x1", "ip dscp set ef", "update @set { ... }": nothing is decided by it.
    if (words_.skip_assignment(first)) return bind(first);
    const NftKey* key = key_of(first);
    // With a "." more keys follow, whose values stand together.
    if (key == nullptr || words_.peek() == ".") {
      words_.go_to(begin);
      return unknown(first);
    }
    bind(first);
    if (words_.take("vmap")) return map(*key);
    compare(*key);
  }

  /// A key that nobody looks at: what stands on its right goes with it, as far as that is seen.
  void unknown(std::string_view first) {
    bind(first);
    if (!is_nft_header(first) || words_.peek().empty()) return opaque();
    not_known();
    // Each entry of a map may be the one.
    if (words_.skip_unknown_values()) map({"", "", Field::other});
  }

  void compare(const NftKey& key) {
    Condition condition{.field = key.field};
    condition.negated = words_.take("!=") || words_.take("!");
    (void)words_.take("==");
    const Words values = words_.take_values();
    bool is_known = !values.empty();
    for (const std::string_view value : values)
      is_known = is_known && add_nft_value(key, value, condition);
    if (is_known) {
      common_.conditions.push_back(std::move(condition));
    } else {
      not_known();
    }
  }

  /// "{ established : accept, invalid : drop }".
  void map(const NftKey& key) {
    is_done_ = true;
    if (words_.peek() != "{") {  // a map with a name
      common_.action = Action::uncertain;
      return;
    }
    const Words words = words_.take_group();
    for (std::size_t at = 0; at < words.size();) {
      Rule rule = common_;
      Condition condition{.field = key.field};
      bool is_known = key.field != Field::other;
      const std::size_t colon = static_cast<std::size_t>(
          std::ranges::find(words.begin() + static_cast<std::ptrdiff_t>(at), words.end(), ":") -
          words.begin());
      for (; at < colon; ++at) is_known = is_known && add_nft_value(key, words[at], condition);
      rule.conditions.push_back(is_known ? std::move(condition) : Condition{});
      const std::string_view word = colon + 1 < words.size() ? words[colon + 1] : "";
      const std::string_view target = colon + 2 < words.size() ? words[colon + 2] : "";
      entry(word, target, rule);
      rules_.push_back(std::move(rule));
      while (at < words.size() && words[at] != ",") ++at;
      ++at;
    }
  }

  static void entry(std::string_view word, std::string_view target, Rule& rule) {
    rule.action = Action::uncertain;
    if (word == "accept") rule.action = Action::accept;
    if (word == "drop") rule.action = Action::drop;
    if (word == "return") rule.action = Action::return_;
    if (word == "continue") rule.action = Action::none;
    if (word != "jump" && word != "goto") return;
    rule.action = word == "jump" ? Action::jump : Action::go_to;
    rule.target = target;
  }

  NftWords words_;
  bool is_done_ = false, binds_ = false;
  Rule common_;
  std::vector<Rule> rules_;
};

}  // namespace

std::vector<Rule> parse_nft_rule(std::string_view line, std::string_view family) {
  return Parser(line, family).parse();
}

}  // namespace slowpath::machine::firewall
