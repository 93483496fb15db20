// SPDX-License-Identifier: Apache-2.0
#include "machine/firewall/fate.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

namespace slowpath::machine::firewall {
namespace {

enum class Match : std::uint8_t { no, maybe, yes };

constexpr unsigned kPasses = 1, kDrops = 2, kFalls = 4;  // off the end, or returned
constexpr int kMaxDepth = 16;  // NFT_JUMP_STACK_SIZE; no chain calls itself in the kernel
constexpr std::uint32_t kMaxRules = 200'000;  // looked at for one packet; more is given up

Match match_of(bool holds) { return holds ? Match::yes : Match::no; }

std::optional<std::uint64_t> value_of(Field field, const Packet& packet) {
  switch (field) {
    case Field::family:
      return packet.family;
    case Field::protocol:
      return packet.protocol;
    case Field::icmp_type:
      return packet.icmp_type;
    case Field::icmp_code:
      return packet.icmp_code;
    case Field::ct_state:
      return packet.ct_state;
    case Field::below_rate:
      return packet.below_rate ? 1 : 0;
    case Field::in_interface:
    case Field::out_interface:
    case Field::other:
      break;
  }
  return std::nullopt;
}

/// "eth*" holds "eth0", and the pattern "eth*" itself.
bool is_like(std::string_view name, std::string_view pattern) {
  if (!pattern.ends_with('*')) return name == pattern;
  pattern.remove_suffix(1);
  return name.starts_with(pattern);
}

Match match_name(const Condition& condition, const std::optional<std::string>& name) {
  if (condition.names.empty()) return Match::maybe;
  if (!name) return Match::maybe;
  return match_of(std::ranges::any_of(
      condition.names, [&](const std::string& each) { return is_like(*name, each); }));
}

Match match_plain(const Condition& condition, const Packet& packet) {
  if (condition.field == Field::in_interface) return match_name(condition, packet.in);
  if (condition.field == Field::out_interface) return match_name(condition, packet.out);
  const std::optional<std::uint64_t> value = value_of(condition.field, packet);
  if (!value || condition.ranges.empty()) return Match::maybe;
  if (condition.field == Field::ct_state)
    return match_of((*value & condition.ranges.front().first) != 0);
  return match_of(std::ranges::any_of(condition.ranges, [&](const auto& range) {
    return range.first <= *value && *value <= range.second;
  }));
}

Match match(const Rule& rule, const Packet& packet) {
  Match all = Match::yes;
  for (const Condition& condition : rule.conditions) {
    Match one = match_plain(condition, packet);
    if (condition.negated && one != Match::maybe) one = match_of(one == Match::no);
    all = std::min(all, one);
    if (all == Match::no) break;
  }
  return all;
}

class Walk {
 public:
  Walk(const Ruleset& ruleset, const Packet& packet) : ruleset_(ruleset), packet_(packet) {}

  unsigned base(const Chain& chain, Fate& fate) {
    dropper_ = nullptr;
    dropper_chain_ = nullptr;
    unsigned outcome = called(chain, 0);
    if ((outcome & kFalls) != 0) {
      outcome = (outcome & ~kFalls) | (chain.drops_rest ? kDrops : kPasses);
      if (chain.drops_rest) {
        dropper_ = nullptr;
        dropper_chain_ = &chain;
      }
    }
    if ((outcome & kDrops) != 0) {
      fate.rule = dropper_;
      fate.chain = dropper_chain_;
      fate.base_chain = &chain;
    }
    return outcome;
  }

 private:
  unsigned outcome_of(const Rule& rule, const Chain& chain, int depth) {
    switch (rule.action) {
      case Action::accept:
        return kPasses;
      case Action::drop:
        dropper_ = &rule;
        dropper_chain_ = &chain;
        return kDrops;
      case Action::return_:
        return kFalls;
      case Action::jump:
      case Action::go_to:
        if (!rule.callee) return kPasses | kDrops | kFalls;
        return called(ruleset_.chains[*rule.callee], depth + 1);
      case Action::none:
      case Action::uncertain:
        break;
    }
    return kPasses | kDrops | kFalls;
  }

  unsigned called(const Chain& chain, int depth) {
    unsigned all = 0;
    for (const Rule& rule : chain.rules) {
      if (depth > kMaxDepth || ++looked_at_ > kMaxRules) return kPasses | kDrops | kFalls;
      const Match matches = match(rule, packet_);
      if (matches == Match::no || rule.action == Action::none) continue;
      const unsigned outcome = outcome_of(rule, chain, depth);
      // What falls off a chain that was jumped to comes back.
      const bool comes_back = rule.action == Action::jump || rule.action == Action::uncertain;
      all |= comes_back ? outcome & ~kFalls : outcome;
      const bool goes_on = matches == Match::maybe || (comes_back && (outcome & kFalls) != 0);
      if (!goes_on) return all;
    }
    return all | kFalls;
  }

  const Ruleset& ruleset_;
  const Packet& packet_;
  const Rule* dropper_ = nullptr;  // the last rule that could drop
  const Chain* dropper_chain_ = nullptr;
  std::uint32_t looked_at_ = 0;
};

std::span<const Hook> hooks_of(Way way) {
  static constexpr std::array kInput{Hook::ingress, Hook::prerouting, Hook::input};
  static constexpr std::array kForward{Hook::ingress, Hook::prerouting, Hook::forward,
                                       Hook::postrouting};
  static constexpr std::array kOutput{Hook::output, Hook::postrouting};
  switch (way) {
    case Way::input:
      return kInput;
    case Way::forward:
      return kForward;
    case Way::output:
      return kOutput;
  }
  return {};
}

bool is_of(const Chain& chain, std::uint64_t family) {
  return chain.family == "inet" || chain.family == "netdev" ||
         chain.family == (family == 4 ? "ip" : "ip6");
}

std::vector<const Chain*> base_chains(const Ruleset& ruleset, Way way, std::uint64_t family) {
  std::vector<const Chain*> chains;
  for (const Hook hook : hooks_of(way)) {
    const auto first = chains.size();
    for (const Chain& chain : ruleset.chains) {
      if (chain.hook == hook && !chain.is_nat && is_of(chain, family)) chains.push_back(&chain);
    }
    std::ranges::stable_sort(chains.begin() + static_cast<std::ptrdiff_t>(first), chains.end(), {},
                             &Chain::priority);
  }
  return chains;
}

}  // namespace

bool may_match(const Rule& rule, const Packet& packet) { return match(rule, packet) != Match::no; }

Fate fate_of(const Ruleset& ruleset, Way way, const Packet& packet) {
  Fate fate{.may_pass = true};
  for (const Chain* chain : base_chains(ruleset, way, packet.family)) {
    Fate here;
    unsigned outcome = Walk(ruleset, packet).base(*chain, here);
    // A chain of netdev is one device's: which packets come by it is not known.
    if (chain->family == "netdev" && (outcome & kDrops) != 0) outcome |= kPasses;
    if ((outcome & kDrops) == 0) continue;
    const bool is_certain = (outcome & kPasses) == 0;
    if (!fate.may_drop || is_certain) {
      fate.rule = here.rule;
      fate.chain = here.chain;
      fate.base_chain = here.base_chain;
    }
    fate.may_drop = true;
    if (is_certain) {
      fate.may_pass = false;
      return fate;
    }
  }
  return fate;
}

}  // namespace slowpath::machine::firewall
