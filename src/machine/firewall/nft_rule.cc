// SPDX-License-Identifier: Apache-2.0
#include "machine/firewall/nft_rule.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "machine/firewall/iptables_rule.h"
#include "machine/firewall/nft_key.h"
#include "machine/firewall/words.h"

namespace slowpath::machine::firewall {
namespace {

using Words = std::vector<std::string_view>;

/// A rule's text without what its counter counted, so that it is the same the next time.
std::string without_counts(std::string_view line) {
  constexpr std::string_view kCounter = "counter ", kPackets = "packets ", kBytes = " bytes ";
  const std::size_t at = line.find(kCounter);
  if (at == std::string_view::npos) return std::string(line);
  std::string_view rest = line.substr(at + kCounter.size());
  if (!rest.starts_with(kPackets)) return std::string(line);
  const std::size_t bytes = rest.find(kBytes);
  if (bytes == std::string_view::npos) return std::string(line);
  rest.remove_prefix(bytes + kBytes.size());
  const std::size_t end = std::min(rest.find(' '), rest.size());
  return std::string(line.substr(0, at + kCounter.size() - 1)).append(rest.substr(end));
}

class Parser {
 public:
  Parser(std::string_view line, std::string_view family) {
    bool cut = false;
    words_ = rule_words(line, true, cut);
    common_.text = without_counts(line);
    if (cut) not_known();
    // The words `ip` and `icmp` bind a rule of an inet table to a protocol; a table of one family
    // has that already.
    binds_ = family != "ip" && family != "ip6";
  }

  std::vector<Rule> parse() {
    while (!is_done_ && at_ < words_.size()) statement();
    if (rules_.empty()) rules_.push_back(common_);
    for (Rule& rule : rules_) rule.is_opaque = common_.is_opaque;
    return std::move(rules_);
  }

 private:
  [[nodiscard]] std::string_view peek(std::size_t ahead = 0) const {
    return at_ + ahead < words_.size() ? words_[at_ + ahead] : std::string_view();
  }
  std::string_view next() {
    const std::string_view word = peek();
    ++at_;
    return word;
  }
  bool take(std::string_view word) {
    if (peek() != word) return false;
    ++at_;
    return true;
  }
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
      rule.target = next();
    } else if (word == "queue" || word == "tproxy" || word == "synproxy" || word == "fwd") {
      rule.action = Action::uncertain;
    } else {
      return false;
    }
    return true;
  }

  void statement() {
    const std::string_view word = next();
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
      counter();
    } else if (word == "limit") {
      limit();
    } else if (word == "log") {
      log();
    } else if (word == "comment") {
      ++at_;
    } else if (word == "xt" || word == "XT") {
      extension();
    } else {
      expression(word);
    }
  }

  /// What iptables-nft made and nft cannot say in its own words: `xt match NAME`, and where it has
  /// no extensions of iptables, `XT match NAME not found`.
  void extension() {
    const bool is_target = next() == "target";
    const std::string_view name = unquoted(next());
    if (take("not")) (void)take("found");
    if (!is_target) {
      if (name != "comment") not_known();
    } else if (!apply_target(name, common_)) {
      common_.action = Action::uncertain;
      common_.is_opaque = true;
    }
  }

  void counter() {
    if (take("name")) {
      ++at_;
      return;
    }
    for (const std::string_view word : {"packets", "bytes"}) {
      if (take(word)) ++at_;
    }
  }

  void limit() {
    if (!take("rate")) return not_known();  // an object with a name
    const bool is_over = take("over");
    ++at_;  // "10/second", or "10" with "mbytes/second"
    if (peek().find("bytes/") != std::string_view::npos) ++at_;
    if (take("burst")) at_ += 2;
    is(Field::below_rate, is_over ? 0 : 1);
  }

  void log() {
    static constexpr std::array<std::string_view, 6> kOptions{
        "prefix", "level", "group", "snaplen", "queue-threshold", "flags"};
    while (std::ranges::find(kOptions, peek()) != kOptions.end()) {
      const bool is_flags = next() == "flags";
      const std::string_view value = next();
      // "flags tcp sequence,options", "flags ip options", "flags all".
      if (is_flags && (value == "tcp" || value == "ip")) skip_list();
    }
  }

  /// A value, or values with commas between them.
  void skip_list() {
    do {
      ++at_;
    } while (take(","));
  }

  const NftKey* key_of(std::string_view first) {
    if (first == "meta") first = next();
    const NftKey* key = find_nft_key(first, peek());
    if (key != nullptr && !key->second.empty()) ++at_;
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
    const std::size_t begin = at_;
    if (first == "tcp" && peek() == "option" && peek(1) == "maxseg" && peek(2) == "size" &&
        peek(3) == "set") {
      bind(first);
      common_.clamps_mss = true;
      is_done_ = true;
      return;
    }
    if (is_assignment(first)) return;
    const NftKey* key = key_of(first);
    // With a "." more keys follow, whose values stand together.
    if (key == nullptr || peek() == ".") {
      at_ = begin;
      return unknown(first);
    }
    bind(first);
    if (take("vmap")) return map(*key);
    compare(*key);
  }

  /// "meta mark set 0x1", "ip dscp set ef", "update @set { ... }": nothing is decided by it.
  bool is_assignment(std::string_view first) {
    if (first == "add" || first == "update" || first == "delete") {
      ++at_;  // the set
      if (peek() == "{") group();
      return true;
    }
    if (first == "flow" && peek() == "add") {
      at_ += 2;
      return true;
    }
    for (std::size_t ahead = 1; ahead <= 2; ++ahead) {
      if (peek(ahead) != "set") continue;
      at_ += ahead + 1;
      // The value: words up to the next statement, of which only a few can follow.
      const bool is_other_key = peek() == "meta" || peek() == "ct" || peek() == "rt";
      at_ += is_other_key ? 2 : 1;
      bind(first);
      return true;
    }
    return false;
  }

  /// A key that nobody looks at: what stands on its right goes with it, as far as that is seen.
  void unknown(std::string_view first) {
    bind(first);
    if (!is_header(first) || peek().empty()) return opaque();
    not_known();
    const std::size_t begin = at_;
    while (at_ < words_.size() && peek() != "vmap") {
      if (peek() == "{") {
        group();
        return;
      }
      const bool may_end = at_ > begin && words_[at_ - 1] != ".";
      if (may_end && (is_statement(peek()) || is_header(peek()))) return;
      ++at_;
    }
    if (take("vmap")) {
      // Each entry may be the one.
      const NftKey nothing{"", "", Field::other};
      map(nothing);
    }
  }

  [[nodiscard]] static bool is_header(std::string_view word) {
    static constexpr std::array<std::string_view, 14> kHeaders{
        "ip",   "ip6", "tcp",  "udp", "th",     "ct",  "ether",
        "vlan", "fib", "meta", "rt",  "socket", "arp", "sctp"};
    return std::ranges::find(kHeaders, word) != kHeaders.end();
  }

  [[nodiscard]] static bool is_statement(std::string_view word) {
    static constexpr std::array<std::string_view, 22> kBegins{
        "accept",  "drop",    "reject",  "return",     "jump",   "goto", "continue", "queue",
        "counter", "limit",   "log",     "masquerade", "snat",   "dnat", "redirect", "notrack",
        "comment", "iifname", "oifname", "icmp",       "icmpv6", "ct"};
    return std::ranges::find(kBegins, word) != kBegins.end();
  }

  /// From "{" to its "}", both taken; the words between.
  Words group() {
    Words inside;
    std::size_t depth = 0;
    while (at_ < words_.size()) {
      const std::string_view word = next();
      if (word == "{") ++depth;
      if (word == "}" && --depth == 0) break;
      if (word != "{" && word != "}") inside.push_back(word);
    }
    return inside;
  }

  void compare(const NftKey& key) {
    Condition condition{.field = key.field};
    condition.negated = take("!=") || take("!");
    (void)take("==");
    Words values;
    if (peek() == "{") {
      values = group();
    } else {
      do {
        values.push_back(next());
      } while (take(","));
    }
    std::erase(values, ",");
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
    if (peek() != "{") {  // a map with a name
      common_.action = Action::uncertain;
      return;
    }
    const Words words = group();
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

  Words words_;
  std::size_t at_ = 0;
  bool is_done_ = false, binds_ = false;
  Rule common_;
  std::vector<Rule> rules_;
};

}  // namespace

std::vector<Rule> parse_nft_rule(std::string_view line, std::string_view family) {
  return Parser(line, family).parse();
}

}  // namespace slowpath::machine::firewall
