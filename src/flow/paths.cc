// SPDX-License-Identifier: Apache-2.0
#include "flow/paths.h"

#include <algorithm>
#include <map>
#include <utility>

namespace slowpath::flow {
namespace {

// Shorter silences are single timeouts, not an outage of the path.
constexpr double kOutageMin_s = 1.0;
constexpr std::size_t kMaxOutages = 32;

struct Silence {
  Time begin{}, end{};
  std::uint32_t connection = 0;
  bool ended = true;
};

// Overlapping silences of several connections are one outage: the time that all of them share.
void add_outages(PathFacts& path, std::vector<Silence>& silences) {
  std::sort(silences.begin(), silences.end(),
            [](const Silence& a, const Silence& b) { return a.begin < b.begin; });
  for (std::size_t i = 0; i < silences.size() && path.outages.size() < kMaxOutages;) {
    Time begin = silences[i].begin, end = silences[i].end;
    PathFacts::Outage outage;
    std::vector<std::uint32_t> members{silences[i].connection};
    outage.ended = silences[i].ended;
    std::size_t j = i + 1;
    for (; j < silences.size() && silences[j].begin < end; ++j) {
      begin = std::max(begin, silences[j].begin);
      end = std::min(end, silences[j].end);
      outage.ended |= silences[j].ended;
      members.push_back(silences[j].connection);
    }
    std::sort(members.begin(), members.end());
    members.erase(std::unique(members.begin(), members.end()), members.end());
    outage.begin = begin;
    outage.seconds = std::max(0.0, to_seconds(end - begin));
    outage.connections = static_cast<std::uint32_t>(members.size());
    if (outage.seconds >= kOutageMin_s) path.outages.push_back(outage);
    i = j;
  }
}

}  // namespace

void gather_paths(Case& facts) {
  std::map<std::pair<IpAddress, IpAddress>, std::size_t> index;
  for (std::size_t i = 0; i < facts.paths.size(); ++i)
    index[{facts.paths[i].a, facts.paths[i].b}] = i;
  std::map<std::size_t, std::vector<Silence>> silences;
  for (const ConnectionFacts& connection : facts.connections) {
    const IpAddress& a = std::min(connection.client.address, connection.server.address);
    const IpAddress& b = std::max(connection.client.address, connection.server.address);
    const auto [at, fresh] = index.try_emplace({a, b}, facts.paths.size());
    if (fresh) {
      PathFacts path;
      path.a = a;
      path.b = b;
      facts.paths.push_back(std::move(path));
    }
    facts.paths[at->second].connections.push_back(connection.id);
    for (const DirectionFacts& direction : connection.directions) {
      for (const Stall& stall : direction.stalls) {
        if (stall.owner != TimeOwner::timeout || stall.unanswered_sends < 2 ||
            stall.seconds < kOutageMin_s)
          continue;
        silences[at->second].push_back(
            {stall.begin, stall.begin + from_seconds(stall.seconds), connection.id, stall.ended});
      }
    }
  }
  for (auto& [path, list] : silences) add_outages(facts.paths[path], list);
}

}  // namespace slowpath::flow
