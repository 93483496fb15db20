// SPDX-License-Identifier: Apache-2.0
// Many connections: findings of one cause become one finding about the hosts between which they
// were made. Paths are looked for in this order:
// (1) One host in common, a server or a client: the other ends are told apart by their network (the
//     first 24 bits of IPv4, 64 of IPv6) where one holds enough of them, else taken together.
// (2) Both ends in one network each.
// (3) What is left, whatever its hosts.
// A few findings stay as they are: each can be read by itself.
#include <algorithm>
#include <bit>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/policy.h"
#include "detect/synthesis_steps.h"

namespace slowpath::detect {
namespace {

// So many findings of one cause between the same hosts are read as one.
constexpr std::size_t kMany = 6;
// A network of its own holds at least this share of its host's.
constexpr double kNetworkShare = 0.1;
// Ends that have less in common than this are counted, not named by a prefix.
constexpr unsigned kShortestPrefix4 = 16, kShortestPrefix6 = 48;
constexpr unsigned kNetwork4 = 24, kNetwork6 = 64;

unsigned common_bits(const IpAddress& a, const IpAddress& b) {
  const unsigned most = a.version == 4 ? 4 : 16;
  for (unsigned i = 0; i < most; ++i) {
    const auto differing = static_cast<std::uint8_t>(a.bytes[i] ^ b.bytes[i]);
    if (differing != 0) return i * 8 + static_cast<unsigned>(std::countl_zero(differing));
  }
  return most * 8;
}

IpAddress masked(IpAddress address, unsigned bits) {
  const std::size_t whole = bits / 8;
  if (whole >= address.bytes.size()) return address;
  address.bytes[whole] &= static_cast<std::uint8_t>(~(0xffU >> bits % 8));
  std::fill(address.bytes.begin() + static_cast<std::ptrdiff_t>(whole) + 1, address.bytes.end(),
            std::uint8_t{0});
  return address;
}

IpAddress network_of(const IpAddress& address) {
  return masked(address, address.version == 4 ? kNetwork4 : kNetwork6);
}

/// Hosts at one end: their prefix where they have one worth a name, else each of them.
class Hosts {
 public:
  explicit Hosts(std::set<IpAddress> all) : all_(std::move(all)) {
    const IpAddress& first = *all_.begin();
    const IpAddress& last = *all_.rbegin();  // sorted: nobody between has less in common
    const bool mixed = std::ranges::any_of(
        all_, [&](const IpAddress& host) { return host.version != first.version; });
    if (!mixed) bits_ = common_bits(first, last);
    if (bits_ < (first.version == 4 ? kShortestPrefix4 : kShortestPrefix6)) bits_ = 0;
  }
  [[nodiscard]] bool hold(const IpAddress& address) const {
    if (bits_ == 0) return all_.contains(address);
    return address.version == all_.begin()->version && common_bits(address, *all_.begin()) >= bits_;
  }
  [[nodiscard]] std::string name() const {
    if (all_.size() == 1) return to_string(*all_.begin());
    if (bits_ == 0) return fmt::format("{} hosts", format_count(all_.size()));
    return fmt::format("{}/{}", to_string(masked(*all_.begin(), bits_)), bits_);
  }

 private:
  std::set<IpAddress> all_;
  unsigned bits_ = 0;
};

/// A finding that may be merged, with its ends: of the data, or client and server.
struct Single {
  std::size_t at = 0;  // among the findings
  IpAddress sender, receiver;
};

using Group = std::vector<Single>;

struct Cause {
  std::string_view fault;
  Severity severity;
  int direction;
  auto operator<=>(const Cause&) const = default;
};

std::pair<IpAddress, IpAddress> ends_of(const ConnectionFacts& connection,
                                        std::optional<Direction> direction) {
  const IpAddress &client = connection.client.address, &server = connection.server.address;
  return direction == Direction::to_client ? std::pair{server, client} : std::pair{client, server};
}

/// Takes out of `rest` what `key` maps together, in the order of the most, as long as it is many.
template <typename Key>
std::vector<Group> take_groups(Group& rest, Key key) {
  std::map<decltype(key(rest.front())), Group> by_key;
  for (const Single& single : rest) by_key[key(single)].push_back(single);
  std::vector<Group> groups;
  Group left;
  for (auto& [value, group] : by_key) {
    if (group.size() >= kMany) {
      groups.push_back(std::move(group));
    } else {
      left.insert(left.end(), group.begin(), group.end());
    }
  }
  std::ranges::sort(left, {}, &Single::at);
  rest = std::move(left);
  return groups;
}

template <typename End>
std::size_t most_common(const Group& group, End end) {
  std::map<IpAddress, std::size_t> counts;
  std::size_t most = 0;
  for (const Single& single : group) most = std::max(most, ++counts[end(single)]);
  return most;
}

/// Splits a host's findings by the networks of the other ends, if these are few.
template <typename End>
void split_by_network(Group group, End other_end, std::vector<Group>& into) {
  std::map<IpAddress, Group> by_network;
  for (const Single& single : group) by_network[network_of(other_end(single))].push_back(single);
  const double least = kNetworkShare * static_cast<double>(group.size());
  Group rest;
  for (auto& [network, part] : by_network) {
    const bool is_own = part.size() >= kMany && static_cast<double>(part.size()) >= least;
    if (is_own) {
      into.push_back(std::move(part));
    } else {
      rest.insert(rest.end(), part.begin(), part.end());
    }
  }
  if (!rest.empty()) into.push_back(std::move(rest));
}

std::vector<Group> groups_of(Group rest) {
  const auto sender = [](const Single& single) { return single.sender; };
  const auto receiver = [](const Single& single) { return single.receiver; };
  const auto networks = [](const Single& single) {
    return std::pair{network_of(single.sender), network_of(single.receiver)};
  };
  std::vector<Group> groups;
  const auto by_host = [&](auto end, auto other_end) {
    if (rest.empty()) return;
    for (Group& group : take_groups(rest, end))
      split_by_network(std::move(group), other_end, groups);
  };
  // The end at which more findings meet is asked first.
  if (most_common(rest, receiver) >= most_common(rest, sender)) {
    by_host(receiver, sender);
    by_host(sender, receiver);
  } else {
    by_host(sender, receiver);
    by_host(receiver, sender);
  }
  if (!rest.empty()) {
    for (Group& group : take_groups(rest, networks)) groups.push_back(std::move(group));
  }
  if (!rest.empty()) groups.push_back(std::move(rest));
  std::erase_if(groups, [](const Group& group) { return group.size() < kMany; });
  return groups;
}

std::uint64_t count_between(const Case& facts, const Hosts& senders, const Hosts& receivers,
                            std::optional<Direction> direction) {
  return static_cast<std::uint64_t>(
      std::ranges::count_if(facts.connections, [&](const ConnectionFacts& connection) {
        const auto [sender, receiver] = ends_of(connection, direction);
        return senders.hold(sender) && receivers.hold(receiver);
      }));
}

/// `all`: whatever was captured between the hosts was analysed, not just counted.
void put_into_words(Finding& merged, bool all) {
  const Spread& spread = *merged.spread;
  std::string text = fmt::format("{} of {} {}connections {} → {}", format_count(spread.connections),
                                 format_count(spread.between), all ? "" : "analysed ",
                                 spread.senders, spread.receivers);
  if (merged.seconds_lost > 0) {
    text += fmt::format(", {} lost in all", format_duration(merged.seconds_lost));
  }
  text += fmt::format("; worst #{}", spread.worst);
  if (spread.worst_s > 0) text += fmt::format(" ({})", format_duration(spread.worst_s));
  merged.claim = fmt::format("{}: {}", text, merged.claim);
  std::string basis = fmt::format("of the worst, #{}, alone", spread.worst);
  if (!merged.after_fix.basis.empty()) basis += ": " + merged.after_fix.basis;
  merged.after_fix.basis = std::move(basis);
}

Finding merge_group(const Case& facts, std::vector<Finding>& findings, Group group) {
  // The costliest first; among equals the surest, then the oldest.
  std::ranges::sort(group, [&](const Single& a, const Single& b) {
    const auto key = [&](const Single& single) {
      return std::tuple{-weight_s(facts, findings[single.at]), -findings[single.at].confidence,
                        findings[single.at].connections.front()};
    };
    return key(a) < key(b);
  });
  std::set<IpAddress> senders, receivers;
  std::vector<std::uint32_t> ids;
  std::set<std::uint32_t> known;
  double seconds = 0, confidence = 0;
  for (const Single& single : group) {
    senders.insert(single.sender);
    receivers.insert(single.receiver);
    const std::uint32_t id = findings[single.at].connections.front();
    if (known.insert(id).second) ids.push_back(id);
    seconds += findings[single.at].seconds_lost;
    confidence = std::max(confidence, findings[single.at].confidence);
  }
  Finding merged = std::move(findings[group.front().at]);
  const Hosts from(std::move(senders)), to(std::move(receivers));
  merged.spread = Spread{from.name(), to.name(),
                         ids.size(),  count_between(facts, from, to, merged.direction),
                         ids.front(), merged.seconds_lost};
  merged.connections = std::move(ids);
  merged.seconds_lost = seconds;
  merged.confidence = confidence;
  put_into_words(merged, facts.connections_total <= facts.connections.size());
  return merged;
}

}  // namespace

bool merge_many(const Case& facts, std::vector<Finding>& findings) {
  std::map<Cause, Group> by_cause;
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const Finding& finding = findings[i];
    if (finding.connections.size() != 1) continue;
    const ConnectionFacts* connection = find_connection(facts, finding.connections.front());
    if (connection == nullptr) continue;
    const auto [sender, receiver] = ends_of(*connection, finding.direction);
    const int direction = finding.direction ? static_cast<int>(*finding.direction) : -1;
    by_cause[{finding.fault, finding.severity, direction}].push_back({i, sender, receiver});
  }
  std::vector<bool> is_merged(findings.size(), false);
  std::vector<Finding> merged;
  for (auto& [cause, group] : by_cause) {
    if (group.size() < kMany) continue;
    for (Group& part : groups_of(std::move(group))) {
      for (const Single& single : part) is_merged[single.at] = true;
      merged.push_back(merge_group(facts, findings, std::move(part)));
    }
  }
  std::size_t at = 0;
  std::erase_if(findings, [&](const Finding&) { return is_merged[at++]; });
  std::ranges::move(merged, std::back_inserter(findings));
  return !merged.empty();
}

void bound_lists(std::vector<Finding>& findings) {
  for (Finding& finding : findings) {
    if (finding.spread && finding.connections.size() > kListedConnections) {
      finding.connections.resize(kListedConnections);
    }
  }
}

}  // namespace slowpath::detect
