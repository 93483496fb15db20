// SPDX-License-Identifier: Apache-2.0
#include "report/words.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/replace_word.h"
#include "detect/support.h"
#include "facts/address.h"
#include "facts/connection.h"

namespace slowpath::report {
namespace {

/// The end that a role means, where it is one end and the packets tell which.
std::optional<Endpoint> end_of(Role role, const ConnectionFacts& connection,
                               const Finding& finding) {
  const bool server_sends = finding.direction == Direction::to_client;
  switch (role) {
    case Role::sender:
      if (!finding.direction) return {};
      return server_sends ? connection.server : connection.client;
    case Role::receiver:
      if (!finding.direction) return {};
      return server_sends ? connection.client : connection.server;
    case Role::client:
      return connection.client;
    case Role::server:
      return connection.server;
    case Role::both_ends:
    case Role::gateway:
    case Role::path:
    case Role::capture_host:
      return {};
  }
  std::unreachable();
}

}  // namespace

std::string_view to_word(Direction direction) {
  return direction == Direction::to_server ? "to_server" : "to_client";
}

Tone tone_of(Severity severity) {
  switch (severity) {
    case Severity::note:
      return Tone::plain;
    case Severity::suspect:
      return Tone::doubtful;
    case Severity::fault:
      return Tone::bad;
  }
  std::unreachable();
}

std::string_view to_word(Vantage vantage) {
  switch (vantage) {
    case Vantage::unknown:
      return "unknown";
    case Vantage::sender:
      return "sender";
    case Vantage::receiver:
      return "receiver";
    case Vantage::midpath:
      return "midpath";
    case Vantage::both:
      return "both";
  }
  std::unreachable();
}

std::string_view to_word(EvidenceKind kind) {
  switch (kind) {
    case EvidenceKind::frames:
      return "frames";
    case EvidenceKind::setting:
      return "setting";
    case EvidenceKind::counter:
      return "counter";
    case EvidenceKind::test:
      return "test";
  }
  std::unreachable();
}

std::string_view to_word(CloseKind close) {
  switch (close) {
    case CloseKind::open:
      return "open";
    case CloseKind::finished:
      return "finished";
    case CloseKind::reset:
      return "reset";
    case CloseKind::half_closed:
      return "half-closed";
  }
  std::unreachable();
}

const ConnectionFacts* connection_of(const Case& facts, const Finding& finding) {
  if (finding.connections.empty()) return nullptr;
  return detect::find_connection(facts, finding.connections.front());
}

std::string address_of(Role role, const Case& facts, const Finding& finding) {
  const ConnectionFacts* connection = connection_of(facts, finding);
  if (connection == nullptr) return {};
  if (role == Role::both_ends) {
    return fmt::format("{} and {}", to_string(connection->client.address),
                       to_string(connection->server.address));
  }
  const std::optional<Endpoint> end = end_of(role, *connection, finding);
  return end ? to_string(end->address) : std::string{};
}

std::string command_of(std::string_view text, Role where, const Case& facts,
                       const Finding& finding) {
  std::string command{text};
  const ConnectionFacts* connection = connection_of(facts, finding);
  if (connection == nullptr) return command;
  const auto fill = [&](std::string_view word, const std::string& value) {
    command = replace_word(command, word, value);
  };
  const std::optional<Endpoint> here = end_of(where, *connection, finding);
  if (here) {
    const Endpoint& other = *here == connection->client ? connection->server : connection->client;
    fill("dst DST", "dst " + in_brackets(other.address));  // of ss
    if (other.address.version == 6) fill("DST/32", to_string(other.address) + "/128");
    fill("DST", to_string(other.address));
  }
  if (const auto sender = end_of(Role::sender, *connection, finding))
    fill("SENDER", in_brackets(sender->address));  // in commands of ss alone, as is RECEIVER
  if (const auto receiver = end_of(Role::receiver, *connection, finding))
    fill("RECEIVER", in_brackets(receiver->address));
  fill("SERVER", to_string(connection->server.address));
  // Of who receives its own, which need not be a server's.
  const Endpoint& at = where == Role::receiver && here ? *here : connection->server;
  fill("PORT", fmt::format("{}", at.port));
  // Rules for IPv6 have a command of their own, and ICMP another name there: that is another step.
  if (at.address.version == 6 && !text.contains("icmp")) fill("iptables", "ip6tables");
  return command;
}

const Finding* finding_of_verdict(const Diagnosis& diagnosis) {
  const auto found = std::ranges::find(diagnosis.findings, diagnosis.verdict, &Finding::fault);
  return found == diagnosis.findings.end() ? nullptr : &*found;
}

}  // namespace slowpath::report
