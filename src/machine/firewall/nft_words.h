// SPDX-License-Identifier: Apache-2.0
// The words of one rule as `nft list ruleset` prints it, taken one after the other; and what the
// grammar of nft(8) says of words and groups by themselves. What a rule means is nft_rule.h's.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace slowpath::machine::firewall {

/// A place in the words of a line, which must outlive it. Behind the last word all words are empty.
class NftWords {
 public:
  explicit NftWords(std::string_view line);

  [[nodiscard]] bool is_at_end() const { return at_ >= words_.size(); }
  /// Whether there were more words than are kept.
  [[nodiscard]] bool is_cut() const { return is_cut_; }
  [[nodiscard]] std::size_t place() const { return at_; }
  void go_to(std::size_t place) { at_ = place; }

  [[nodiscard]] std::string_view peek(std::size_t ahead = 0) const;
  std::string_view next();
  void skip(std::size_t words = 1) { at_ += words; }
  /// Takes the next word if it is this one.
  bool take(std::string_view word);

  /// From "{" to its "}", both taken; the words between.
  std::vector<std::string_view> take_group();
  /// A value, or values with commas between them, or a group; without the commas.
  std::vector<std::string_view> take_values();
  /// The rest of `counter` and of `log`: they decide nothing.
  void skip_counter();
  void skip_log();
  /// The right side of a key that nobody looks at, up to where the next statement begins. True
  /// where a verdict map follows, whose "vmap" is taken.
  bool skip_unknown_values();
  /// "set VALUE" behind a key of one or two words, `add @set {...}`, `flow add @table`: what only
  /// writes something down is taken whole.
  bool skip_assignment(std::string_view first);

 private:
  void skip_list();

  std::vector<std::string_view> words_;
  std::size_t at_ = 0;
  bool is_cut_ = false;
};

/// A word by which a header's field, or a key of the packet, begins: "ip", "ct", "meta".
bool is_nft_header(std::string_view word);
/// A rule's text without what its counter counted, so that it is the same the next time.
std::string without_counts(std::string_view line);

}  // namespace slowpath::machine::firewall
