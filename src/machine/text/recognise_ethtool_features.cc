// SPDX-License-Identifier: Apache-2.0
// `ethtool -k DEV`. ethtool shows old names for some groups of features; they become the kernel's.
#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

constexpr std::string_view kTitle = "Features for ";
constexpr std::string_view kOldTitle = "Offload parameters for ";  // before ethtool 3.0

// Names that stand for one feature of the kernel.
constexpr auto kRenamed = std::to_array<std::pair<std::string_view, std::string_view>>(
    {{"rx-checksumming", "rx-checksum"},
     {"udp-fragmentation-offload", "tx-udp-fragmentation"},
     {"generic-segmentation-offload", "tx-generic-segmentation"},
     {"generic-receive-offload", "rx-gro"},
     {"large-receive-offload", "rx-lro"},
     {"rx-vlan-offload", "rx-vlan-hw-parse"},
     {"tx-vlan-offload", "tx-vlan-hw-insert"},
     {"ntuple-filters", "rx-ntuple-filter"},
     {"receive-hashing", "rx-hashing"}});

// Names that stand for several, and the one that they mean where no single one is listed.
struct Group {
  std::string_view name, member_prefix, stands_for;
};
constexpr auto kGroups = std::to_array<Group>(
    {{"tx-checksumming", "tx-checksum-", "tx-checksum-ip-generic"},
     {"scatter-gather", "tx-scatter-gather", "tx-scatter-gather"},
     {"tcp-segmentation-offload", "tx-tcp-segmentation", "tx-tcp-segmentation"}});

bool recognises(const Output& rest) {
  const std::string_view first = rest.lines.front().text;
  return first.starts_with(kTitle) || first.starts_with(kOldTitle);
}

struct Named {
  std::string_view name;
  FeatureState state;
};

/// "rx-gro: on", "rx-lro: off [fixed]", "tx-checksum-ipv4: off [requested on]".
std::optional<Named> feature_of(std::string_view line) {
  const auto pair = pair_of(line);
  if (!pair) return std::nullopt;
  const Words words = words_of(pair->value);
  const auto on = words.empty() ? std::nullopt : truth_of(words.front());
  if (!on || pair->key.contains(' ')) return std::nullopt;
  FeatureState state{*on, pair->value.contains("[fixed]"), std::nullopt};
  const std::string_view requested = between(pair->value, "[requested ", "]");
  // ethtool tells what was asked for only where it differs.
  if (!state.fixed) state.requested = requested.empty() ? on : truth_of(requested);
  return Named{pair->key, state};
}

const Group* group_of(std::string_view name) {
  const auto found = std::ranges::find(kGroups, name, &Group::name);
  return found == kGroups.end() ? nullptr : &*found;
}

void finish_groups(const std::vector<std::pair<const Group*, FeatureState>>& groups,
                   InterfaceFacts& interface) {
  for (const auto& [group, state] : groups) {
    const auto member = interface.features.lower_bound(std::string(group->member_prefix));
    const bool listed =
        member != interface.features.end() && member->first.starts_with(group->member_prefix);
    if (!listed) interface.features[std::string(group->stands_for)] = state;
  }
}

/// Old ethtool wrote its names with blanks: "tcp segmentation offload: on".
std::string dashed(std::string_view line) {
  std::string out(trim(line));
  const std::size_t colon = std::min(out.find(':'), out.size());
  std::replace(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(colon), ' ', '-');
  return out;
}

void read(const Output& output, Notes& notes) {
  std::string interface;
  std::vector<std::pair<const Group*, FeatureState>> groups;
  notes.each_line(output, [&](const Line& line) {
    if (line.text.starts_with(kTitle) || line.text.starts_with(kOldTitle)) {
      if (!interface.empty()) finish_groups(groups, notes.interface(interface, line));
      groups.clear();
      const std::string_view title = line.text.starts_with(kTitle) ? kTitle : kOldTitle;
      interface = trim(line.text.substr(title.size()));
      if (interface.ends_with(':')) interface.pop_back();
      if (interface.empty()) interface = interface_of(output.command);
      (void)notes.interface(interface, line);
      return true;
    }
    const std::string shown = dashed(line.text);
    const auto feature = feature_of(shown);
    if (!feature || interface.empty()) return false;
    if (const Group* group = group_of(feature->name)) {
      groups.emplace_back(group, feature->state);
      return true;
    }
    const auto renamed = std::ranges::find(kRenamed, feature->name,
                                           &std::pair<std::string_view, std::string_view>::first);
    const std::string_view name = renamed == kRenamed.end() ? feature->name : renamed->second;
    notes.interface(interface, line).features[std::string(name)] = feature->state;
    return true;
  });
  if (!interface.empty()) finish_groups(groups, notes.interface(interface, output.lines.front()));
}

}  // namespace

namespace recognisers {
extern const Recogniser ethtool_features;
const Recogniser ethtool_features{"ethtool_features", Platform::linux, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
