// SPDX-License-Identifier: Apache-2.0
// ICMP errors about one way's packets: they travel against it, from downstream to upstream.
#include <algorithm>
#include <vector>

#include "flow/comparison/reading.h"

namespace slowpath::flow::comparison {
namespace {

std::vector<const IcmpSeen*> about(const ConnectionLog& log, Direction direction) {
  std::vector<const IcmpSeen*> list;
  for (const IcmpSeen& icmp : log.icmp) {
    if (icmp.about == direction) list.push_back(&icmp);
  }
  return list;
}

bool is_same(const IcmpSeen& up, const IcmpSeen& down, std::uint32_t shift) {
  return up.type == down.type && up.code == down.code && up.mtu == down.mtu &&
         up.quoted_ip_len == down.quoted_ip_len && up.has_sequence == down.has_sequence &&
         (!up.has_sequence || down.sequence.value - up.sequence.value == shift ||
          down.sequence == up.sequence);
}

void describe(const IcmpSeen& seen, BetweenIcmp& icmp) {
  if (icmp.refused_between + icmp.filtered_between > 1) return;
  icmp.from = seen.from;
  icmp.type = seen.type;
  icmp.code = seen.code;
  icmp.mtu = seen.mtu;
  icmp.quoted_ip_len = seen.quoted_ip_len;
}

}  // namespace

void read_icmp(const ConnectionLog& up, const ConnectionLog& down, const ComparedPoint& up_point,
               const ComparedPoint& down_point, const ClockDifference& clock, const WayPair& ways,
               BetweenFacts& facts) {
  std::vector<const IcmpSeen*> upstream = about(up, facts.direction);
  BetweenIcmp& icmp = facts.icmp;
  for (const IcmpSeen* seen : about(down, facts.direction)) {
    const auto same = std::ranges::find_if(
        upstream, [&](const IcmpSeen* other) { return is_same(*other, *seen, ways.shift); });
    if (same != upstream.end()) {
      upstream.erase(same);
      ++icmp.passed;
      continue;
    }
    const Time near = seen->time - from_seconds(clock(seen->time));
    const Time there = seen->time - from_seconds(clock(near));
    if (there < up_point.first || there > up_point.last) continue;
    ++icmp.filtered_between;
    note(icmp.filtered_frames, seen->frame);
    describe(*seen, icmp);
  }
  for (const IcmpSeen* seen : upstream) {
    const Time there = seen->time + from_seconds(clock(seen->time));
    if (there < down_point.first || there > down_point.last) continue;
    ++icmp.refused_between;
    note(icmp.refused_frames, seen->frame);
    describe(*seen, icmp);
  }
}

}  // namespace slowpath::flow::comparison
