// SPDX-License-Identifier: Apache-2.0
#include "machine/firewall/nft_words.h"

#include <algorithm>
#include <array>

#include "machine/firewall/words.h"

namespace slowpath::machine::firewall {
namespace {

bool is_statement(std::string_view word) {
  static constexpr std::array<std::string_view, 22> kBegins{
      "accept",  "drop",    "reject",  "return",     "jump",   "goto", "continue", "queue",
      "counter", "limit",   "log",     "masquerade", "snat",   "dnat", "redirect", "notrack",
      "comment", "iifname", "oifname", "icmp",       "icmpv6", "ct"};
  return std::ranges::find(kBegins, word) != kBegins.end();
}

}  // namespace

NftWords::NftWords(std::string_view line) { words_ = rule_words(line, true, is_cut_); }

std::string_view NftWords::peek(std::size_t ahead) const {
  return at_ + ahead < words_.size() ? words_[at_ + ahead] : std::string_view();
}

std::string_view NftWords::next() {
  const std::string_view word = peek();
  ++at_;
  return word;
}

bool NftWords::take(std::string_view word) {
  if (peek() != word) return false;
  ++at_;
  return true;
}

std::vector<std::string_view> NftWords::take_group() {
  std::vector<std::string_view> inside;
  std::size_t depth = 0;
  while (!is_at_end()) {
    const std::string_view word = next();
    if (word == "{") ++depth;
    if (word == "}" && --depth == 0) break;
    if (word != "{" && word != "}") inside.push_back(word);
  }
  return inside;
}

std::vector<std::string_view> NftWords::take_values() {
  std::vector<std::string_view> values;
  if (peek() == "{") {
    values = take_group();
  } else {
    do {
      values.push_back(next());
    } while (take(","));
  }
  std::erase(values, ",");
  return values;
}

void NftWords::skip_counter() {
  if (take("name")) return skip();
  for (const std::string_view word : {"packets", "bytes"}) {
    if (take(word)) skip();
  }
}

void NftWords::skip_log() {
  static constexpr std::array<std::string_view, 6> kOptions{"prefix",  "level",           "group",
                                                            "snaplen", "queue-threshold", "flags"};
  while (std::ranges::find(kOptions, peek()) != kOptions.end()) {
    const bool is_flags = next() == "flags";
    const std::string_view value = next();
    // "flags tcp sequence,options", "flags ip options", "flags all".
    if (is_flags && (value == "tcp" || value == "ip")) skip_list();
  }
}

void NftWords::skip_list() {
  do {
    skip();
  } while (take(","));
}

bool NftWords::skip_unknown_values() {
  const std::size_t begin = at_;
  while (!is_at_end() && peek() != "vmap") {
    if (peek() == "{") {
      (void)take_group();
      return false;
    }
    const bool may_end = at_ > begin && words_[at_ - 1] != ".";
    if (may_end && (is_statement(peek()) || is_nft_header(peek()))) return false;
    skip();
  }
  return take("vmap");
}

bool NftWords::skip_assignment(std::string_view first) {
  if (first == "add" || first == "update" || first == "delete") {
    skip();  // the set
    if (peek() == "{") (void)take_group();
    return true;
  }
  if (first == "flow" && peek() == "add") {
    skip(2);
    return true;
  }
  for (std::size_t ahead = 1; ahead <= 2; ++ahead) {
    if (peek(ahead) != "set") continue;
    skip(ahead + 1);
    // The value: words up to the next statement, of which only a few can follow.
    const bool is_other_key = peek() == "meta" || peek() == "ct" || peek() == "rt";
    skip(is_other_key ? 2 : 1);
    return true;
  }
  return false;
}

bool is_nft_header(std::string_view word) {
  static constexpr std::array<std::string_view, 14> kHeaders{"ip", "ip6",    "tcp",  "udp", "th",
                                                             "ct", "ether",  "vlan", "fib", "meta",
                                                             "rt", "socket", "arp",  "sctp"};
  return std::ranges::find(kHeaders, word) != kHeaders.end();
}

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

}  // namespace slowpath::machine::firewall
