// SPDX-License-Identifier: Apache-2.0
// tc(8)'s qdisc commands, and the knobs that they turn.
#include <span>

#include <fmt/format.h>

#include "fix/command_words.h"
#include "fix/qdisc_knob.h"
#include "fix/qdisc_options.h"

namespace slowpath::fix {
namespace {

Result<std::vector<Change>> option_changes(const CommandWords& words) {
  std::vector<Change> changes;
  for (std::size_t at = 7; at < words.size(); at += 2) {
    const QdiscOption& option = *find_qdisc_option(words[6], words[at]);
    const Result<std::uint32_t> number = parse_qdisc_number(option, words[at + 1]);
    if (!number) return std::unexpected(number.error());
    changes.push_back({{KnobKind::qdisc_option, words[4], words[at]},
                       fmt::format("{} {}", words[6], qdisc_number(option, *number))});
  }
  return changes;
}

}  // namespace

bool is_qdisc_command(const CommandWords& words) {
  if (words.size() < 7 || words.size() % 2 == 0 || !begins_with(words, {"tc", "qdisc"}) ||
      words[3] != "dev" || words[5] != "root")
    return false;
  const bool replaces = words[2] == "replace" && is_one_of_ours(words[6]);
  const bool changes = words[2] == "change" && words.size() > 7;
  for (std::size_t at = 7; at < words.size(); at += 2) {
    if (find_qdisc_option(words[6], words[at]) == nullptr) return false;
  }
  return replaces || changes;
}

Result<std::vector<Change>> qdisc_changes(const CommandWords& words, std::string_view command) {
  if (!is_qdisc_command(words))
    return not_ours(command,
                    "of qdiscs only the root is changed here: tc qdisc replace dev DEV root "
                    "fq|fq_codel|pfifo|bfifo, with limit N, and with flow_limit N or maxrate RATE "
                    "for fq; or tc qdisc change with these for one that is there");
  if (words[2] == "change") return option_changes(words);
  const Result<std::string> value = qdisc_value_of(std::span(words).subspan(6));
  if (!value) return std::unexpected(value.error());
  return std::vector<Change>{{{KnobKind::qdisc, words[4], {}}, *value}};
}

}  // namespace slowpath::fix
