// SPDX-License-Identifier: Apache-2.0
#include "machine/firewall/report.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "machine/firewall/fate.h"

namespace slowpath::machine::firewall {
namespace {

// The worse come later; see the header.
constexpr std::array<std::string_view, 5> kFates{"passes", "limited", "unclear", "dropped",
                                                 "closed"};
constexpr std::size_t kPasses = 0, kLimited = 1, kUnclear = 2, kDropped = 3, kClosed = 4;
constexpr std::string_view kNone = "none", kUnclearWord = "unclear";
// Beyond these, interfaces are taken as not known: each pair of them is asked about.
constexpr std::size_t kMaxInterfaces = 12, kManyRules = 5000;
constexpr std::size_t kMaxTextBytes = 300;

constexpr std::array<std::pair<Way, std::string_view>, 3> kWays{
    {{Way::input, "input"}, {Way::forward, "forward"}, {Way::output, "output"}}};

using Interface = std::optional<std::string>;

/// Those that rules name, and one that none names. Loopback is left out: errors come from afar.
std::vector<Interface> interfaces_of(const Ruleset& ruleset) {
  std::set<std::string> names{""};
  std::size_t rules = 0;
  for (const Chain& chain : ruleset.chains) {
    rules += chain.rules.size();
    for (const Rule& rule : chain.rules) {
      for (const Condition& condition : rule.conditions)
        names.insert(condition.names.begin(), condition.names.end());
    }
  }
  names.erase("lo");
  if (names.size() > kMaxInterfaces || rules > kManyRules) return {std::nullopt};
  return {names.begin(), names.end()};
}

Packet size_message(std::uint64_t family) {
  // RFC 792 and RFC 1191: type 3, code 4; RFC 4443 section 3.2: type 2, code 0.
  Packet packet{.family = family, .ct_state = kRelated};
  packet.protocol = family == 4 ? 1 : 58;
  packet.icmp_type = family == 4 ? 3 : 2;
  packet.icmp_code = family == 4 ? 4 : 0;
  return packet;
}

/// Whether a rule may keep such packets from connection tracking, so that they have no state.
bool untracks(const Ruleset& ruleset, const Packet& packet) {
  return std::ranges::any_of(ruleset.chains, [&](const Chain& chain) {
    return std::ranges::any_of(
        chain.rules, [&](const Rule& rule) { return rule.untracks && may_match(rule, packet); });
  });
}

/// What a way does with one kind of packet that comes with a connection.
class Question {
 public:
  Question(const Ruleset& ruleset, Way way, const Packet& packet)
      : ruleset_(ruleset), way_(way), packet_(packet) {
    if (untracks(ruleset, packet)) packet_.ct_state.reset();
  }

  void ask() {
    const std::vector<Interface> names = interfaces_of(ruleset_);
    const std::vector<Interface> any{std::nullopt};
    for (const Interface& in : way_ == Way::output ? any : names) {
      for (const Interface& out : way_ == Way::input ? any : names) ask(in, out);
    }
    if (asked_ > 0 && closed_ == asked_) worst_ = kClosed;
  }
  [[nodiscard]] std::size_t worst() const { return worst_; }
  [[nodiscard]] const Fate& fate() const { return fate_; }
  /// Where it is dropped; empty: wherever TCP passes.
  [[nodiscard]] std::string where() const {
    if (where_.size() + closed_ == asked_) return {};
    std::vector<std::string> first(
        where_.begin(), where_.begin() + std::min<std::ptrdiff_t>(3, std::ssize(where_)));
    if (first.size() < where_.size()) first.emplace_back("others");
    return fmt::format("{}", fmt::join(first, ", "));
  }

 private:
  void ask(const Interface& in, const Interface& out) {
    ++asked_;
    Packet tcp{.family = packet_.family, .ct_state = kEstablished, .in = in, .out = out};
    if (!packet_.ct_state) tcp.ct_state.reset();
    if (!fate_of(ruleset_, way_, tcp).may_pass) {
      ++closed_;
      return;
    }
    packet_.in = in;
    packet_.out = out;
    packet_.below_rate = true;
    const Fate slow = fate_of(ruleset_, way_, packet_);
    packet_.below_rate = false;
    const Fate fast = fate_of(ruleset_, way_, packet_);
    if (!slow.may_pass) where_.push_back(name_of(in, out));
    const std::size_t here = !slow.may_pass  ? kDropped
                             : slow.may_drop ? kUnclear
                             : fast.may_drop ? kLimited
                                             : kPasses;
    if (here > worst_) fate_ = here == kLimited ? fast : slow;
    worst_ = std::max(worst_, here);
  }

  [[nodiscard]] static std::string name_of(const Interface& in, const Interface& out) {
    const auto named = [](std::string_view word, const Interface& interface) {
      if (!interface) return std::string();
      return fmt::format("{} {}", word, interface->empty() ? "others" : *interface);
    };
    const std::string from = named("from", in), to = named("to", out);
    return from.empty() || to.empty() ? from + to : from + " " + to;
  }

  const Ruleset& ruleset_;
  Way way_;
  Packet packet_;
  Fate fate_;
  std::size_t worst_ = kPasses, asked_ = 0, closed_ = 0;
  std::vector<std::string> where_;
};

std::size_t rank_of(std::string_view fate) {
  return static_cast<std::size_t>(std::ranges::find(kFates, fate) - kFates.begin());
}

class Teller {
 public:
  Teller(const Ruleset& ruleset, const Origin& origin, MachineFacts& machine)
      : ruleset_(ruleset), origin_(origin), machine_(machine) {}

  void fate(const std::string& key, Way way, const Packet& packet) {
    Question question(ruleset_, way, packet);
    question.ask();
    std::size_t worst = question.worst();
    if (!ruleset_.incomplete.empty() && worst < kUnclear) worst = kUnclear;
    const Told<std::string>* before = find_setting(machine_, key);
    if (before != nullptr && rank_of(before->value) >= worst) return;
    set(key, std::string(kFates.at(worst)));
    for (const char* part : {".rule", ".chain", ".interfaces"}) machine_.settings.erase(key + part);
    if (worst != kDropped) return;
    const Fate& fate = question.fate();
    if (fate.chain == nullptr || fate.base_chain == nullptr) return;
    const std::string rule = fate.rule == nullptr ? "policy drop" : fate.rule->text;
    set(key + ".rule", fmt::format("{}: {}", name_of(*fate.chain), rule.substr(0, kMaxTextBytes)));
    set(key + ".chain", name_of(*fate.base_chain));
    if (const std::string where = question.where(); !where.empty()) set(key + ".interfaces", where);
  }

  /// Whether a rule has a property; not clear where one was not understood.
  void property(const std::string& key, bool Rule::* has, std::uint64_t family) {
    std::string found(ruleset_.incomplete.empty() ? kNone : kUnclearWord);
    for (const Chain& chain : ruleset_.chains) {
      if (chain.family != "inet" && chain.family != (family == 4 ? "ip" : "ip6")) continue;
      for (const Rule& rule : chain.rules) {
        if (rule.*has) {
          set(key, "present");
          set(key + ".rule",
              fmt::format("{}: {}", name_of(chain), rule.text.substr(0, kMaxTextBytes)));
          return;
        }
        if (rule.is_opaque) found = kUnclearWord;
      }
    }
    const Told<std::string>* before = find_setting(machine_, key);
    if (before == nullptr || before->value == kNone) set(key, std::move(found));
  }

 private:
  void set(const std::string& key, std::string value) {
    machine_.settings[key] = {std::move(value), origin_};
  }

  const Ruleset& ruleset_;
  const Origin& origin_;
  MachineFacts& machine_;
};

}  // namespace

void tell(Ruleset ruleset, const Origin& origin, MachineFacts& machine) {
  link_chains(ruleset);
  Teller teller(ruleset, origin, machine);
  for (const std::uint64_t family : {std::uint64_t{4}, std::uint64_t{6}}) {
    if (family == 4 ? !ruleset.v4 : !ruleset.v6) continue;
    const std::string head = family == 4 ? "firewall.ipv4." : "firewall.ipv6.";
    const Packet invalid{.family = family, .ct_state = kInvalid};
    for (const auto& [way, word] : kWays) {
      const std::string place = head + std::string(word);
      teller.fate(place + ".size-messages", way, size_message(family));
      if (!untracks(ruleset, invalid)) teller.fate(place + ".invalid", way, invalid);
    }
    teller.property(head + "mss-clamp", &Rule::clamps_mss, family);
    teller.property(head + "nat", &Rule::translates, family);
  }
}

}  // namespace slowpath::machine::firewall
