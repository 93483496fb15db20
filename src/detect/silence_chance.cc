// SPDX-License-Identifier: Apache-2.0
#include "detect/silence_chance.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "detect/loss_pattern.h"

namespace slowpath::detect {
namespace {

struct Tries {
  double sent = 0, failed = 0;

  [[nodiscard]] double share() const { return sent > 0 ? std::min(1.0, failed / sent) : 0; }
};

/// Resends outside the long silences that were no mistake of the sender's.
Tries resends_elsewhere(const DirectionFacts& data) {
  std::uint64_t sent = data.spurious.packets, failed = 0;
  for (const Stall& stall : data.stalls) {
    if (!is_long_silence(stall)) continue;
    // The first was no resend; and the last was answered, or nobody knows.
    sent += stall.unanswered_sends - 1;
    failed += stall.unanswered_sends - 2;
  }
  const auto rest = [](std::uint64_t all, std::uint64_t of_them) {
    return static_cast<double>(all > of_them ? all - of_them : 0);
  };
  return {rest(data.resent_packets, sent), rest(data.lost_resends, failed)};
}

/// Transmissions of silences that were short. A resend after a timeout travels alone, and so a
/// queue that drops what a whole flight brings drops it no more often than any packet; but where
/// such were lost, they count.
Tries lone_resends(const DirectionFacts& data) {
  Tries tries;
  for (const Stall& stall : data.stalls) {
    if (is_long_silence(stall) || stall.owner != TimeOwner::timeout) continue;
    tries.sent += std::max(1U, stall.unanswered_sends);
    tries.failed += std::max(1U, stall.unanswered_sends) - 1;
  }
  return tries;
}

}  // namespace

bool is_long_silence(const Stall& stall) {
  return stall.seconds >= kLongSilence_s && stall.unanswered_sends >= kLongSilenceTransmissions &&
         stall.owner != TimeOwner::zero_window;
}

std::uint64_t losses_elsewhere(const DirectionFacts& data) {
  const double repair_s = 4 * data.rtt.total.p95_s;
  const auto is_of_silence = [&](const LossEvent& loss) {
    return std::ranges::any_of(data.stalls, [&](const Stall& stall) {
      return is_long_silence(stall) && loss.time >= stall.begin &&
             loss.time <= stall.begin + from_seconds(stall.seconds + repair_s);
    });
  };
  std::set<std::uint32_t> episodes;
  for (const LossEvent& loss : data.losses) {
    if (is_of_silence(loss)) episodes.insert(loss.episode);
  }
  const auto of_silences = static_cast<std::uint64_t>(std::ranges::count_if(
      data.losses, [&](const LossEvent& loss) { return episodes.contains(loss.episode); }));
  // The silence's own loss is not always among those that are kept one by one.
  const std::uint64_t own = std::max<std::uint64_t>(of_silences, 1);
  return data.lost_packets > own ? data.lost_packets - own : 0;
}

double silences_by_chance(const DirectionFacts& data, const Stall& like) {
  const auto losses = static_cast<double>(losses_elsewhere(data));
  if (data.resent_packets == 0 || losses < 1) return 0;
  const double any =
      data.data_packets > 0 ? std::min(1.0, losses / static_cast<double>(data.data_packets)) : 1;
  double again = std::max(any, resends_elsewhere(data).share());
  if (queue_builds(queue_of(data)))
    again = std::min(again, std::max(any, lone_resends(data).share()));
  // What ended it was a transmission, too, and arrived.
  const double lost_in_a_row = static_cast<double>(like.unanswered_sends) - (like.ended ? 1 : 0);
  return losses * std::pow(again, std::max(0.0, lost_in_a_row - 1));
}

}  // namespace slowpath::detect
