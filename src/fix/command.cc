// SPDX-License-Identifier: Apache-2.0
// Commands as people write them, and the knobs that they turn.
#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "fix/command_words.h"
#include "fix/link_knob.h"
#include "fix/mss_clamp.h"
#include "fix/plan.h"
#include "fix/route_item.h"
#include "fix/route_knob.h"
#include "fix/rss_knob.h"

namespace slowpath::fix {
namespace {

/// ethtool's short words and the kernel features that they stand for (ethtool.c, off_flag_def;
/// netdev features).
struct FeatureWord {
  std::string_view word, also;
  std::array<std::string_view, 5> features;
};
constexpr std::array kFeatureWords{
    FeatureWord{"tso",
                "tcp-segmentation-offload",
                {"tx-tcp-segmentation", "tx-tcp-ecn-segmentation", "tx-tcp-mangleid-segmentation",
                 "tx-tcp6-segmentation"}},
    FeatureWord{"gso", "generic-segmentation-offload", {"tx-generic-segmentation"}},
    FeatureWord{"gro", "generic-receive-offload", {"rx-gro"}},
    FeatureWord{"lro", "large-receive-offload", {"rx-lro"}},
    FeatureWord{"rx", "rx-checksumming", {"rx-checksum"}},
    FeatureWord{"tx",
                "tx-checksumming",
                {"tx-checksum-ipv4", "tx-checksum-ip-generic", "tx-checksum-ipv6",
                 "tx-checksum-fcoe-crc", "tx-checksum-sctp"}},
    FeatureWord{"sg", "scatter-gather", {"tx-scatter-gather", "tx-scatter-gather-fraglist"}},
    FeatureWord{"rxhash", "receive-hashing", {"rx-hashing"}},
};

Result<std::vector<Change>> feature_changes(const CommandWords& words, std::string_view command,
                                            Kernel& kernel) {
  if (words.size() != 5) return not_ours(command, "one switch a step: ethtool -K DEV WORD on|off");
  const std::string &interface = words[2], &word = words[3], &value = words[4];
  Result<std::vector<std::string>> changeable = kernel.changeable_features(interface);
  if (!changeable) return std::unexpected(changeable.error());
  const auto known = std::ranges::find_if(
      kFeatureWords, [&](const FeatureWord& f) { return f.word == word || f.also == word; });
  std::vector<Change> changes;
  const auto add = [&](std::string_view feature) {
    if (std::ranges::find(*changeable, feature) != changeable->end()) {
      changes.push_back({{KnobKind::feature, interface, std::string(feature)}, value});
    }
  };
  if (known == kFeatureWords.end()) {
    add(word);
  } else {
    std::ranges::for_each(known->features, add);
  }
  if (changes.empty())
    return not_ours(command, fmt::format("{} has no '{}' that can be changed", interface, word));
  return changes;
}

/// NAME VALUE pairs behind `ethtool -G DEV` and `-L DEV`.
Result<std::vector<Change>> count_changes(KnobKind kind, const CommandWords& words,
                                          std::string_view command) {
  if (words.size() != 5) return not_ours(command, "one count a step");
  const Result<Knob> knob = parse_knob(
      fmt::format("{}:{}:{}", kind == KnobKind::ring ? "ring" : "channels", words[2], words[3]));
  if (!knob) return std::unexpected(knob.error());
  return std::vector<Change>{{*knob, words[4]}};
}

/// What stands behind `ethtool -X DEV`.
std::span<const std::string> rss_words(const CommandWords& words) {
  return std::span(words).subspan(std::min<std::size_t>(3, words.size()));
}

bool is_rss_command(const CommandWords& words) {
  return begins_with(words, {"ethtool", "-X"}) && is_rss_wish(rss_words(words));
}

Result<std::vector<Change>> rss_changes(const CommandWords& words, std::string_view command,
                                        Kernel& kernel) {
  if (words.size() < 4) return not_ours(command, "it says neither interface nor table");
  const Result<std::string> value = rss_value_of_words(words[2], rss_words(words), kernel);
  if (!value) return std::unexpected(value.error());
  return std::vector<Change>{{{KnobKind::rss, words[2], std::string(kRssTable)}, *value}};
}

Result<std::vector<Change>> link_changes(const CommandWords& words, std::string_view command) {
  const std::size_t dev = words.size() > 3 && words[3] == "dev" ? 4 : 3;
  if (words.size() != dev + 3)
    return not_ours(command, "one value a step: ip link set dev DEV mtu N");
  const std::string &name = words[dev], &item = words[dev + 1], &value = words[dev + 2];
  if (item == "mtu") return std::vector<Change>{{{KnobKind::mtu, name, {}}, value}};
  if (item == "txqueuelen") return std::vector<Change>{{{KnobKind::queue_length, name, {}}, value}};
  return not_ours(command, fmt::format("'{}' of a link is not changed here", item));
}

/// `ethtool -s DEV autoneg on`, `autoneg off [speed N] [duplex half|full]`: with what stands there
/// for what is not said.
Result<std::vector<Change>> negotiation_changes(const CommandWords& words) {
  const std::string& interface = words[2];
  LinkWish wish;
  for (std::size_t at = 3; at + 1 < words.size(); at += 2) {
    if (words[at] == "autoneg") wish.autoneg = words[at + 1];
    if (words[at] == "speed") wish.speed = words[at + 1];
    if (words[at] == "duplex") wish.duplex = words[at + 1];
  }
  const Result<std::string> value = link_value_of(interface, wish);
  if (!value) return std::unexpected(value.error());
  return std::vector<Change>{{{KnobKind::link, interface, {}}, *value}};
}

bool is_negotiation_command(const CommandWords& words) {
  if (words.size() < 5 || words.size() % 2 == 0 || !begins_with(words, {"ethtool", "-s"}))
    return false;
  bool is_told = false;
  for (std::size_t at = 3; at < words.size(); at += 2) {
    const std::string& word = words[at];
    if (word != "autoneg" && word != "speed" && word != "duplex") return false;
    is_told = is_told || word == "autoneg";
  }
  return is_told;
}

/// "MIN DEFAULT 6291456", as the catalogue has it, with the first two as they are.
Result<std::string> with_what_stands(const Knob& knob, const std::string& value, Kernel& kernel) {
  constexpr std::array<std::string_view, 2> kKept{"MIN", "DEFAULT"};
  CommandWords words = command_words(value);
  const auto is_kept = [&](const std::string& word) {
    return std::ranges::find(kKept, word) != kKept.end();
  };
  if (std::ranges::none_of(words, is_kept)) return value;
  const Result<std::string> now = kernel.read(knob);
  if (!now) return std::unexpected(now.error());
  const CommandWords there = command_words(*now);
  std::string whole;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool kept = is_kept(words[i]) && i < there.size();
    whole += (whole.empty() ? "" : " ") + (kept ? there[i] : words[i]);
  }
  return whole;
}

Result<std::vector<Change>> sysctl_changes(const CommandWords& words, std::string_view command,
                                           Kernel& kernel) {
  const std::string& assignment = words.back();
  const std::size_t equals = assignment.find('=');
  if (words.size() != 3 || equals == std::string::npos || equals == 0)
    return not_ours(command, "one value a step: sysctl -w NAME=VALUE");
  const Knob knob{KnobKind::sysctl, {}, assignment.substr(0, equals)};
  const Result<std::string> value = with_what_stands(knob, assignment.substr(equals + 1), kernel);
  if (!value) return std::unexpected(value.error());
  return std::vector<Change>{{knob, *value}};
}

}  // namespace

bool is_known_form(std::string_view command) {
  if (mss_clamp_item_of(command)) return true;
  const CommandWords words = command_words(command);
  if (is_qdisc_command(words) || is_negotiation_command(words) || is_rss_command(words))
    return true;
  if (words.size() == 5 && begins_with(words, {"ethtool"}))
    return words[1] == "-K" || words[1] == "-G" || words[1] == "-L";
  if (begins_with(words, {"ip", "link", "set"})) {
    return words.size() >= 6 &&
           (words[words.size() - 2] == "mtu" || words[words.size() - 2] == "txqueuelen");
  }
  if (is_route_command(words)) return true;
  return begins_with(words, {"sysctl", "-w"}) && words.size() == 3;
}

Result<std::vector<Change>> changes_of(std::string_view command, Kernel& kernel) {
  if (const std::optional<std::string> item = mss_clamp_item_of(command))
    return std::vector<Change>{{{KnobKind::mss_clamp, {}, *item}, "on"}};
  const CommandWords words = command_words(command);
  if (begins_with(words, {"ethtool", "-K"})) return feature_changes(words, command, kernel);
  if (begins_with(words, {"ethtool", "-G"})) return count_changes(KnobKind::ring, words, command);
  if (begins_with(words, {"ethtool", "-L"}))
    return count_changes(KnobKind::channels, words, command);
  if (begins_with(words, {"ethtool", "-X"})) return rss_changes(words, command, kernel);
  if (is_negotiation_command(words)) return negotiation_changes(words);
  if (begins_with(words, {"ethtool", "-s"}))
    return not_ours(command, "say autoneg on, or autoneg off with speed and duplex");
  if (begins_with(words, {"tc"})) return qdisc_changes(words, command);
  if (begins_with(words, {"ip", "link", "set"})) return link_changes(words, command);
  if (begins_with(words, {"ip", "route"})) return route_changes(words, command, kernel);
  if (begins_with(words, {"sysctl", "-w"})) return sysctl_changes(words, command, kernel);
  const std::size_t equals = command.find('=');
  if (equals == std::string_view::npos)
    return not_ours(command, "it is no command that is known here");
  const Result<Knob> knob = parse_knob(command.substr(0, equals));
  if (!knob) return std::unexpected(knob.error());
  const std::string_view value = command.substr(equals + 1);
  if (knob->kind == KnobKind::route && is_told_word(knob->item.substr(0, knob->item.find('@'))))
    return not_ours(command, to_string(*knob) + " can only be read");
  if (knob->kind == KnobKind::route && value == kNoRoute)
    return not_ours(command, "routes are not taken away");
  std::string wanted(value);
  // As it will be read back.
  if (const auto table = parse_rss_value(value); knob->kind == KnobKind::rss && table)
    wanted = rss_value_of(*table);
  if (knob->kind == KnobKind::route &&
      is_locked_always(knob->item.substr(0, knob->item.find('@')), value))
    wanted += kLockSuffix;
  return std::vector<Change>{{*knob, std::move(wanted)}};
}

}  // namespace slowpath::fix
