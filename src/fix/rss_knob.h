// SPDX-License-Identifier: Apache-2.0
// A knob for the table by which RSS spreads flows over receive queues, by ethtool's ioctls
// (linux/ethtool.h, ETHTOOL_GRXFHINDIR and ETHTOOL_SRXFHINDIR). The value is the whole table, in
// the words of ethtool -X where it has any:
//
//   128 buckets equal 4             bucket i goes to queue i modulo 4
//   128 buckets start 2 equal 2     the same, counted from queue 2
//   128 buckets list 0*96 1*32      any other: runs of buckets, in their order
//
// Hash function, key and further contexts stay as they are. A table that is the kernel's own for
// the queues there are (ethtool_rxfh_indir_default()) is set by asking for the default, so that the
// kernel does not take it for an administrator's wish and keeps adapting it to the channels.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fix/knob.h"

namespace slowpath::fix {

/// The knob's item, and what can only be read beside it: how many receive queues there are.
inline constexpr std::string_view kRssTable = "table", kRssQueues = "queues";

/// Runs an ethtool command on one interface: a structure of linux/ethtool.h. Returns errno, or 0.
using AskEthtool = std::function<int(void* command)>;

/// The queue of each bucket, and back. No text is longer than a table of 65 536 buckets.
std::string rss_value_of(std::span<const std::uint32_t> table);
std::optional<std::vector<std::uint32_t>> parse_rss_value(std::string_view value);

/// What `ethtool -X DEV` and these words would make of the table there is. Errors: usage, with the
/// forms that there are; of the interface.
Result<std::string> rss_value_of_words(const std::string& interface,
                                       std::span<const std::string> words, Kernel& kernel);
/// Whether the words behind `ethtool -X DEV` are such, blanks and all.
bool is_rss_wish(std::span<const std::string> words);
/// What sets it at start, by ethtool(8); empty for a list, which it has no words for.
std::string rss_command(std::string_view interface, std::string_view value);

/// Errors: environment, also where the driver has no table.
Result<std::string> read_rss(const Knob& knob, const AskEthtool& ask);
/// Errors: as read_rss(); usage where the value is none, or does not fit the table or the queues.
Result<void> write_rss(const Knob& knob, const std::string& value, const AskEthtool& ask);

}  // namespace slowpath::fix
