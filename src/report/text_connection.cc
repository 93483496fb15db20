// SPDX-License-Identifier: Apache-2.0
// One connection: its ends, what it carried, and where the time went.
#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/format.h"
#include "base/time.h"
#include "facts/time_account.h"
#include "report/text_parts.h"

namespace slowpath::report {
namespace {

/// Shares below this are added up as "other".
constexpr double kSmallestShare = 0.0005;

/// "1 keep-alive", "12 345 keep-alives".
std::string counted(std::uint64_t count, std::string_view singular, std::string_view plural) {
  return fmt::format("{} {}", format_count(count), count == 1 ? singular : plural);
}

std::uint64_t resends_of(const DirectionFacts& direction, ResendClass kind) {
  return direction.resends[static_cast<std::size_t>(kind)].packets;
}

}  // namespace

Direction main_direction(const ConnectionFacts& connection, const Finding* finding) {
  if (finding != nullptr && finding->direction) return *finding->direction;
  const std::uint64_t down = connection[Direction::to_client].carried_bytes();
  return down > connection[Direction::to_server].carried_bytes() ? Direction::to_client
                                                                 : Direction::to_server;
}

std::string ends_of(const ConnectionFacts& connection, Direction direction) {
  const std::string client = to_string(connection.client);
  const std::string server = to_string(connection.server);
  return direction == Direction::to_server ? client + " → " + server : server + " → " + client;
}

std::string transfer_of(const ConnectionFacts& connection, Direction direction) {
  const DirectionFacts& facts = connection[direction];
  std::string text;
  const std::string span = format_duration(to_seconds(connection.last - connection.first));
  if (facts.bytes == 0 && facts.unseen_acked_bytes > 0) {
    text = fmt::format("{} acknowledged in {}, but not captured",
                       format_bytes(static_cast<double>(facts.unseen_acked_bytes)), span);
  } else if (facts.bytes == 0) {
    text = "no data in " + span;
  } else if (!connection.light && facts.acked_bytes == 0 && connection[opposite(direction)].seen) {
    text = fmt::format("{} sent in {}, none of it acknowledged",
                       format_bytes(static_cast<double>(facts.bytes)), span);
  } else {
    text = fmt::format("{} in {}", format_bytes(static_cast<double>(facts.bytes)),
                       format_duration(facts.transfer_s));
    if (facts.goodput_bps > 0) text += " = " + format_rate(facts.goodput_bps);
  }
  const RttFacts& rtt = facts.rtt.total;
  if (rtt.samples > 0) {
    text += ", RTT " + format_duration(rtt.median_s);
  } else if (facts.rtt.handshake_s) {
    text += ", RTT " + format_duration(*facts.rtt.handshake_s) + " in the handshake";
  }
  return text;
}

std::string shares_of(const TimeAccount& account) {
  std::vector<std::pair<double, TimeOwner>> shares;
  double other = 0;
  for (std::size_t i = 0; i < kTimeOwnerCount; ++i) {
    const auto owner = static_cast<TimeOwner>(i);
    const double share = account.share(owner);
    if (share >= kSmallestShare) {
      shares.emplace_back(share, owner);
    } else {
      other += share;
    }
  }
  std::ranges::sort(shares, std::greater{});
  std::string text;
  for (const auto& [share, owner] : shares) {
    if (!text.empty()) text += "   ";
    std::string percent = format_percent(share);
    if (const std::size_t blank = percent.find(' '); blank != std::string::npos) {
      percent.replace(blank, 1, kNoBreak);
    }
    text += fmt::format("{}{}{}", to_string(owner), kNoBreak, percent);
  }
  if (other >= kSmallestShare) text += fmt::format("   other {}", format_percent(other));
  return text;
}

std::string wireshark_difference(const ConnectionFacts& connection, Direction direction) {
  const DirectionFacts& facts = connection[direction];
  std::string reasons;
  const auto add = [&](std::uint64_t count, std::string_view singular, std::string_view plural) {
    if (count == 0) return;
    reasons += (reasons.empty() ? "" : ", ") + counted(count, singular, plural);
  };
  add(connection.tap_copies, "further copy of a packet captured more than once",
      "further copies of packets captured more than once");
  add(resends_of(facts, ResendClass::keep_alive), "keep-alive", "keep-alives");
  add(resends_of(facts, ResendClass::zero_window_probe), "zero-window probe", "zero-window probes");
  add(resends_of(facts, ResendClass::handshake), "SYN sent again", "SYNs sent again");
  add(facts.reorder.packets, "packet that came late, not again",
      "packets that came late, not again");
  if (reasons.empty()) return {};
  return fmt::format("{}; Wireshark may mark others, which are not counted here: {}",
                     counted(facts.resent_packets, "packet", "packets"), reasons);
}

/// What a reset left undone; empty where the connection was not cut off. Who sent it is another
/// question: see rst-injected.
std::string cut_of(const ConnectionFacts& connection) {
  const auto cut = std::ranges::find_if(connection.resets, [](const ResetFacts& reset) {
    return !reset.answers_syn && !reset.after_fin && !reset.all_acknowledged;
  });
  if (cut == connection.resets.end()) return {};
  const bool from_client = cut->direction == Direction::to_server;
  return fmt::format(
      "by a reset in the name of {}, {} after the first packet, with data still "
      "unacknowledged (frame {})",
      to_string(from_client ? connection.client : connection.server),
      format_duration(to_seconds(cut->time - connection.first)), cut->frame.number());
}

void write_connection(Page& page, const ConnectionFacts& connection, Direction direction) {
  page.heading(ends_of(connection, direction), transfer_of(connection, direction));
  const std::string cut = cut_of(connection);
  if (!cut.empty()) page.entry("cut off", cut);
}

}  // namespace slowpath::report
