// SPDX-License-Identifier: Apache-2.0
// Attempts to set up connections, seen together: see connect_attempts.h.
#include "detect/connect_attempts.h"

#include <algorithm>
#include <map>
#include <utility>

namespace slowpath::detect {
namespace {

// RFC 6298 section 2: the second SYN is due after a second.
constexpr double kSecondSynS = 1.0;
// At the server the SYN-ACK leaves within this share of the handshake's round trip.
constexpr double kServerShare = 0.2;

Time end_of_captures(const Case& facts) {
  Time end = Time::min();
  for (const CaptureFacts& capture : facts.captures) end = std::max(end, capture.last);
  return end;
}

AttemptOutcome outcome_of(const ConnectionFacts& connection, Time end) {
  const HandshakeFacts& handshake = connection.handshake;
  if (handshake.completed) {
    const bool late = handshake.syn_count > handshake.syn_ack_count && handshake.syn_count > 1;
    return late ? AttemptOutcome::late : AttemptOutcome::set_up;
  }
  if (handshake.refused || connection.icmp_count > 0) return AttemptOutcome::refused;
  if (handshake.syn_ack_count > 0) return AttemptOutcome::undecided;
  const bool decided =
      handshake.syn_count > 1 || seconds_between(connection.last, end) > kSecondSynS;
  return decided ? AttemptOutcome::unanswered : AttemptOutcome::undecided;
}

Attempt attempt_of(const ConnectionFacts& connection, Time end) {
  const HandshakeFacts& handshake = connection.handshake;
  Attempt attempt{&connection, handshake.syn ? handshake.syn_times.front() : connection.first,
                  outcome_of(connection, end), 0, 0};
  if (attempt.outcome == AttemptOutcome::unanswered) {
    attempt.unanswered_syns = handshake.syn_count;
    attempt.waited_s = handshake.duration_s;
  } else if (attempt.outcome == AttemptOutcome::late) {
    attempt.unanswered_syns = handshake.syn_count - std::max(1U, handshake.syn_ack_count);
    attempt.waited_s =
        std::max(0.0, handshake.duration_s - handshake.server_leg_s - handshake.client_leg_s);
  }
  return attempt;
}

}  // namespace

std::vector<Attempt> attempts_of(const Case& facts) {
  const Time end = end_of_captures(facts);
  std::vector<Attempt> attempts;
  for (const ConnectionFacts& connection : facts.connections) {
    if (connection.handshake.syn_count == 0 || connection.handshake.syn_times.empty()) continue;
    attempts.push_back(attempt_of(connection, end));
  }
  std::ranges::stable_sort(attempts, {}, &Attempt::at);
  return attempts;
}

std::vector<const Attempt*> AttemptGroup::failed() const {
  std::vector<const Attempt*> list;
  for (const Attempt& attempt : attempts) {
    if (attempt.failed()) list.push_back(&attempt);
  }
  return list;
}

std::vector<const Attempt*> AttemptGroup::failed_first_uses() const {
  std::vector<const Attempt*> list = failed();
  std::erase_if(list,
                [](const Attempt* attempt) { return attempt->connection->reuses.has_value(); });
  return list;
}

std::size_t AttemptGroup::set_up() const {
  return static_cast<std::size_t>(
      std::ranges::count(attempts, AttemptOutcome::set_up, &Attempt::outcome));
}

std::vector<AttemptGroup> group_attempts(const std::vector<Attempt>& attempts) {
  std::map<std::pair<IpAddress, Endpoint>, AttemptGroup> groups;
  for (const Attempt& attempt : attempts) {
    const ConnectionFacts& connection = *attempt.connection;
    AttemptGroup& group = groups[{connection.client.address, connection.server}];
    group.client = connection.client.address;
    group.server = connection.server;
    group.attempts.push_back(attempt);
  }
  std::vector<AttemptGroup> list;
  list.reserve(groups.size());
  for (auto& [key, group] : groups) list.push_back(std::move(group));
  return list;
}

bool was_open_at(const Attempt& attempt, Time at) {
  const bool stood =
      attempt.outcome == AttemptOutcome::set_up || attempt.outcome == AttemptOutcome::late;
  if (!stood || attempt.at > at) return false;
  const bool ended = attempt.connection->close == CloseKind::finished ||
                     attempt.connection->close == CloseKind::reset;
  return !ended || attempt.connection->last > at;
}

ServersSeen::ServersSeen(const std::vector<Attempt>& attempts) {
  for (const Attempt& attempt : attempts) {
    const HandshakeFacts& handshake = attempt.connection->handshake;
    if (!handshake.legs_known) continue;
    Answers& answers = answers_[attempt.connection->server];
    ++answers.known;
    const double round_trip_s = handshake.server_leg_s + handshake.client_leg_s;
    answers.at_server += handshake.server_leg_s < kServerShare * round_trip_s ? 1 : 0;
  }
}

bool ServersSeen::is_captured_at(const Endpoint& server) const {
  const auto found = answers_.find(server);
  return found != answers_.end() && found->second.at_server * 2 > found->second.known;
}

Exemplars syns_of(const std::vector<const Attempt*>& attempts) {
  Exemplars frames;
  for (const Attempt* attempt : attempts) {
    const Exemplars& syns = attempt->connection->handshake.syn_frames;
    for (std::size_t i = 0; i < std::min<std::size_t>(2, syns.kept()); ++i)
      note(frames, syns.first[i]);
  }
  return frames;
}

std::vector<std::uint32_t> ids_of(const std::vector<const Attempt*>& attempts) {
  std::vector<std::uint32_t> ids;
  for (const Attempt* attempt : attempts) ids.push_back(attempt->connection->id);
  std::ranges::sort(ids);
  return ids;
}

std::string source_filter(const IpAddress& address) {
  return (address.version == 6 ? "ipv6.src == " : "ip.src == ") + to_string(address);
}

double waited_together_s(const std::vector<const Attempt*>& attempts) {
  std::vector<std::pair<Time, Time>> waits;
  for (const Attempt* attempt : attempts) {
    waits.emplace_back(attempt->at, attempt->at + from_seconds(attempt->waited_s));
  }
  std::ranges::sort(waits);
  double seconds = 0;
  Time reached = Time::min();
  for (const auto& [begin, end] : waits) {
    if (end <= reached) continue;
    seconds += seconds_between(std::max(begin, reached), end);
    reached = end;
  }
  return seconds;
}

}  // namespace slowpath::detect
