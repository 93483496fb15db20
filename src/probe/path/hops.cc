// SPDX-License-Identifier: Apache-2.0
#include "probe/path/hops.h"

#include <algorithm>

#include "probe/path/udp_probe.h"

namespace slowpath::probe {
namespace {

constexpr std::uint32_t kGroup = 5;
constexpr std::uint32_t kSmall = 64;
constexpr int kTries = 2;

/// One group of hops: small packets, and large ones to those that answered.
class Group {
 public:
  Group(const IpAddress& target, const WalkOptions& options, std::uint32_t first)
      : target_(target), options_(options) {
    const std::uint32_t last = std::min(first + kGroup - 1, options.most_hops);
    for (std::uint32_t ttl = first; ttl <= last; ++ttl) hops_.emplace_back().ttl = ttl;
  }

  Result<std::vector<PathHop>> walk() {
    for (int attempt = 0; attempt < kTries; ++attempt) {
      if (auto sent = try_small(); !sent) return std::unexpected(sent.error());
    }
    for (int attempt = 0; attempt < kTries && options_.large_ip_bytes > 0; ++attempt) {
      if (auto sent = try_large(); !sent) return std::unexpected(sent.error());
    }
    return std::move(hops_);
  }

 private:
  static bool is_answer(const ProbeAnswer& answer) {
    return answer.fate == Fate::expired || answer.fate == Fate::passed ||
           answer.fate == Fate::unreachable;
  }

  Result<void> try_small() {
    std::vector<UdpPacket> packets;
    std::vector<PathHop*> asked;
    for (PathHop& hop : hops_) {
      if (hop.address) continue;
      packets.push_back({.ip_bytes = kSmall, .ttl = hop.ttl});
      asked.push_back(&hop);
    }
    const auto answers = send_udp_packets(target_, packets, options_.wait);
    if (!answers) return std::unexpected(answers.error());
    for (std::size_t i = 0; i < asked.size(); ++i) {
      const ProbeAnswer& answer = (*answers)[i];
      if (!is_answer(answer) || answer.from.version == 0) continue;
      asked[i]->address = answer.from;
      asked[i]->rtt_s = answer.rtt_s;
      asked[i]->is_target = answer.from == target_;
    }
    return {};
  }

  Result<void> try_large() {
    std::vector<UdpPacket> packets;
    std::vector<PathHop*> asked;
    for (PathHop& hop : hops_) {
      if (!hop.address || hop.large_answered.value_or(false)) continue;
      packets.push_back({.ip_bytes = options_.large_ip_bytes, .ttl = hop.ttl});
      asked.push_back(&hop);
    }
    const auto answers = send_udp_packets(target_, packets, options_.wait);
    if (!answers) return std::unexpected(answers.error());
    for (std::size_t i = 0; i < asked.size(); ++i) {
      asked[i]->large_answered = is_answer((*answers)[i]);
    }
    return {};
  }

  const IpAddress& target_;
  const WalkOptions& options_;
  std::vector<PathHop> hops_;
};

/// Hops behind the target answer as the target does; only the first such is on the path.
void cut_behind_target(std::vector<PathHop>& hops) {
  const auto target = std::ranges::find_if(hops, &PathHop::is_target);
  if (target != hops.end()) hops.erase(target + 1, hops.end());
}

std::uint32_t silent_at_end(const std::vector<PathHop>& hops) {
  std::uint32_t silent = 0;
  for (auto hop = hops.rbegin(); hop != hops.rend() && !hop->address; ++hop) ++silent;
  return silent;
}

}  // namespace

Result<std::vector<PathHop>> walk_path(const IpAddress& target, const WalkOptions& options) {
  std::vector<PathHop> hops;
  for (std::uint32_t first = 1; first <= options.most_hops; first += kGroup) {
    Result<std::vector<PathHop>> group = Group(target, options, first).walk();
    if (!group) return std::unexpected(group.error());
    hops.insert(hops.end(), group->begin(), group->end());
    const bool arrived = std::ranges::any_of(hops, &PathHop::is_target);
    if (arrived || silent_at_end(hops) >= options.most_silent) break;
  }
  cut_behind_target(hops);
  hops.resize(hops.size() - silent_at_end(hops));
  return hops;
}

}  // namespace slowpath::probe
