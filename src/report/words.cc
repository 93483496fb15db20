// SPDX-License-Identifier: Apache-2.0
#include "report/words.h"

#include <algorithm>
#include <utility>

#include "detect/support.h"
#include "facts/address.h"
#include "facts/connection.h"

namespace slowpath::report {

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
  std::string client = to_string(connection->client.address);
  std::string server = to_string(connection->server.address);
  const bool server_sends = finding.direction == Direction::to_client;
  switch (role) {
    case Role::sender:
      if (!finding.direction) return {};
      return server_sends ? server : client;
    case Role::receiver:
      if (!finding.direction) return {};
      return server_sends ? client : server;
    case Role::client:
      return client;
    case Role::server:
      return server;
    case Role::both_ends:
      return client + " and " + server;
    case Role::gateway:
    case Role::path:
    case Role::capture_host:
      return {};
  }
  std::unreachable();
}

const Finding* finding_of_verdict(const Diagnosis& diagnosis) {
  const auto found = std::ranges::find(diagnosis.findings, diagnosis.verdict, &Finding::fault);
  return found == diagnosis.findings.end() ? nullptr : &*found;
}

}  // namespace slowpath::report
