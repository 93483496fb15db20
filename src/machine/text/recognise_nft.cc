// SPDX-License-Identifier: Apache-2.0
// `nft list ruleset`, with handles (-a) or without: tables, their chains and rules. Sets, maps and
// other objects with a name are skipped: what looks at them may hold or not.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "machine/firewall/nft_rule.h"
#include "machine/firewall/report.h"
#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

using firewall::Chain;
using firewall::Hook;
using firewall::Ruleset;

constexpr std::size_t kMaxRules = 100'000;
// A rule that goes on for more lines is not one.
constexpr std::size_t kMaxRuleBytes = 64 << 10;
constexpr std::string_view kUnknownExtension = " not found";

constexpr std::array<std::pair<std::string_view, Hook>, 6> kHooks{
    {{"ingress", Hook::ingress},
     {"prerouting", Hook::prerouting},
     {"input", Hook::input},
     {"forward", Hook::forward},
     {"output", Hook::output},
     {"postrouting", Hook::postrouting}}};
// nft(8), standard priority names.
constexpr std::array<std::pair<std::string_view, std::int32_t>, 6> kPriorities{{{"raw", -300},
                                                                                {"mangle", -150},
                                                                                {"dstnat", -100},
                                                                                {"filter", 0},
                                                                                {"security", 50},
                                                                                {"srcnat", 100}}};

bool is_warning(std::string_view line) { return line.starts_with("# Warning: table "); }

bool recognises(const Output& rest) {
  const Words& words = rest.words;
  const bool is_table = words.size() >= 4 && words[0] == "table" && words[3] == "{";
  return is_table || is_warning(rest.lines.front().text);
}

std::int32_t number_of(std::string_view word) {
  const bool is_negative = word.starts_with('-');
  const auto number = whole_number32(is_negative ? word.substr(1) : word);
  const auto value = static_cast<std::int32_t>(std::min(number.value_or(0), 1'000'000U));
  return is_negative ? -value : value;
}

/// "filter - 5", "raw", "-150".
std::int32_t priority_of(const Words& words, std::size_t at) {
  const auto* named =
      std::ranges::find(kPriorities, words[at], &std::pair<std::string_view, std::int32_t>::first);
  if (named == kPriorities.end()) return number_of(words[at]);
  if (at + 2 >= words.size()) return named->second;
  const std::int32_t more = number_of(words[at + 2]);
  if (words[at + 1] == "+") return named->second + more;
  return words[at + 1] == "-" ? named->second - more : named->second;
}

std::ptrdiff_t open_braces(std::string_view line) {
  std::ptrdiff_t open = 0;
  bool is_quoted = false;
  for (const char each : line) {
    if (each == '"') is_quoted = !is_quoted;
    if (!is_quoted && each == '{') ++open;
    if (!is_quoted && each == '}') --open;
  }
  return open;
}

class Reader {
 public:
  explicit Reader(Ruleset& ruleset) : ruleset_(ruleset) {}

  bool read(std::string_view line) {
    if (is_warning(line)) return true;
    // What nft has no words for breaks its line: "XT match icmp not found".
    if (rule_.ends_with(kUnknownExtension) && !line.starts_with(' ')) finish_rule();
    line = trim(line.substr(0, line.find(" # handle ")));
    if (line.starts_with('#')) return true;
    if (skipped_ > 0) {
      skipped_ += open_braces(line);
      return true;
    }
    if (!rule_.empty() || is_chain_) return read_in_chain(line);
    return read_outside(line);
  }

 private:
  bool read_outside(std::string_view line) {
    const Words words = words_of(line);
    if (words.size() >= 4 && words[0] == "table" && words[3] == "{") {
      family_ = words[1];
      table_ = words[2];
      return true;
    }
    if (table_.empty()) return false;
    if (line == "}") {
      table_.clear();
      is_dormant_ = false;
    } else if (words.size() == 2 && words[0] == "flags") {
      is_dormant_ = words[1].contains("dormant");
    } else if (words.size() == 3 && words[0] == "chain" && words[2] == "{") {
      is_chain_ = true;
      ruleset_.chains.push_back(
          {.family = family_, .table = table_, .name = std::string(words[1])});
    } else {
      skipped_ = std::max<std::ptrdiff_t>(open_braces(line), 0);  // a set, a map, flags, a comment
    }
    return true;
  }

  bool read_in_chain(std::string_view line) {
    if (rule_.empty() && line == "}") {
      is_chain_ = false;
      return true;
    }
    Chain& chain = ruleset_.chains.back();
    if (rule_.empty() && line.starts_with("type ") && line.contains(" hook ")) {
      read_base(line, chain);
      return true;
    }
    if (rule_.empty() && line.starts_with("comment ")) return true;  // the chain's
    // Many elements of a set go over lines.
    rule_ += rule_.empty() ? "" : " ";
    rule_ += line;
    const bool is_open = open_braces(rule_) > 0 || rule_.ends_with(kUnknownExtension);
    if (!is_open || rule_.size() > kMaxRuleBytes) finish_rule();
    return true;
  }

  void finish_rule() {
    if (++rules_ > kMaxRules) {
      ruleset_.incomplete = "there are more rules than are read";
    } else {
      for (firewall::Rule& each : firewall::parse_nft_rule(rule_, family_))
        ruleset_.chains.back().rules.push_back(std::move(each));
    }
    rule_.clear();
  }

  void read_base(std::string_view line, Chain& chain) const {
    if (is_dormant_) return;  // the kernel calls none of the table's chains
    std::string spaced(line);
    std::ranges::replace(spaced, ';', ' ');
    const Words words = words_of(spaced);
    chain.is_nat = word_after(words, "type") == "nat";
    chain.drops_rest = word_after(words, "policy") == "drop";
    const std::string_view hook = word_after(words, "hook");
    for (const auto& [name, value] : kHooks) {
      if (name == hook) chain.hook = value;
    }
    const auto priority = std::ranges::find(words, "priority");
    const auto at = static_cast<std::size_t>(priority - words.begin()) + 1;
    if (at < words.size()) chain.priority = priority_of(words, at);
  }

  Ruleset& ruleset_;
  std::string family_, table_;
  bool is_chain_ = false, is_dormant_ = false;
  std::ptrdiff_t skipped_ = 0;  // braces of an object that are still open
  std::string rule_;            // of several lines
  std::size_t rules_ = 0;
};

void read(const Output& output, Notes& notes) {
  Ruleset ruleset;
  Reader reader(ruleset);
  notes.each_line(output, [&](const Line& line) { return reader.read(line.text); });
  if (!ruleset.incomplete.empty()) notes.unread("firewall rules", ruleset.incomplete, "");
  if (!output.lines.empty())
    firewall::tell(std::move(ruleset), notes.at(output.lines.front()), notes.facts());
}

}  // namespace

namespace recognisers {
extern const Recogniser nft;
const Recogniser nft{"nft", Platform::linux, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
