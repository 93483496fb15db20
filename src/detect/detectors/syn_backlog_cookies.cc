// SPDX-License-Identifier: Apache-2.0
// syn-backlog-cookies: the SYN queue is full and the server answers with SYN cookies, which have no
// room for all options (RFC 4987 section 3.6).
// The user sees that connections made under load are slow for their whole life: 64 KiB windows, no
// SACK. Recognised by SYN-ACKs of one server that lack options which its other SYN-ACKs carry, for
// SYNs that offer the same, when SYNs come more often. Its counters prove it. Look-alike: a box
// that strips options always (wscale-stripped, sack-stripped).
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/connect_attempts.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "syn-backlog-cookies";
constexpr std::size_t kOfEach = 3;
// SYNs in the second before: under load they come at least twice as often.
constexpr double kLoadFactor = 2;

bool offers_all(const TcpOptions& options) {
  return options.has_window_scale && options.sack_permitted && options.has_mss;
}

struct Server {
  std::vector<const ConnectionFacts*> whole, bare;
  std::vector<double> load_of_whole, load_of_bare;
  std::vector<Time> syns;
};

double syns_in_second_before(const Server& server, Time at) {
  const auto from = std::ranges::lower_bound(server.syns, at - from_seconds(1));
  const auto to = std::ranges::upper_bound(server.syns, at);
  return static_cast<double>(to - from);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.empty() ? 0 : values[values.size() / 2];
}

void sort_out(Server& server, const ConnectionFacts& connection) {
  const HandshakeFacts& handshake = connection.handshake;
  if (!handshake.syn || !handshake.syn_ack || !offers_all(handshake.syn->options)) return;
  const TcpOptions& answer = handshake.syn_ack->options;
  const double load = syns_in_second_before(server, handshake.syn->time);
  if (offers_all(answer)) {
    server.whole.push_back(&connection);
    server.load_of_whole.push_back(load);
  } else if (answer.lacks_window_scale() && answer.lacks_sack()) {
    server.bare.push_back(&connection);
    server.load_of_bare.push_back(load);
  }
}

Exemplars syn_acks_of(const std::vector<const ConnectionFacts*>& connections) {
  Exemplars frames;
  for (const ConnectionFacts* connection : connections)
    note(frames, connection->handshake.syn_ack->frame);
  return frames;
}

// What the missing options cost shows where a window of 64 KiB held the data back.
double window_s(const std::vector<const ConnectionFacts*>& connections) {
  double most = 0;
  for (const ConnectionFacts* connection : connections) {
    for (const DirectionFacts& direction : connection->directions) {
      most = std::max(most, direction.time[TimeOwner::receive_window] +
                                direction.time[TimeOwner::loss_recovery] +
                                direction.time[TimeOwner::timeout]);
    }
  }
  return most;
}

void inspect_server(const Endpoint& endpoint, const Server& server, Findings& findings) {
  if (server.bare.empty() || server.whole.empty()) return;
  const ConnectionFacts& first = *server.bare.front();
  if (server.bare.size() < kOfEach || server.whole.size() < kOfEach) {
    return silent(findings, kId, first,
                  fmt::format("{} SYN-ACKs without options and {} with; {} of each are needed",
                              server.bare.size(), server.whole.size(), kOfEach));
  }
  const double quiet = median(server.load_of_whole);
  const double busy = median(server.load_of_bare);
  if (busy < kLoadFactor * quiet) {
    return silent(
        findings, kId, first,
        fmt::format("options are missing whatever the load: {} SYNs a second, {} otherwise", busy,
                    quiet));
  }
  Finding finding;
  finding.fault = kId;
  for (const ConnectionFacts* connection : server.bare)
    finding.connections.push_back(connection->id);
  finding.severity = Severity::suspect;
  finding.confidence = 0.6 + 0.2 * how_far(busy / quiet, kLoadFactor, 10);
  finding.seconds_lost = window_s(server.bare);
  finding.claim = fmt::format(
      "{} leaves out window scale and SACK in {} SYN-ACKs, sent when {:.0f} SYNs a second came, "
      "and "
      "keeps them in {} sent at {:.0f}",
      to_string(endpoint), server.bare.size(), busy, server.whole.size(), quiet);
  finding.evidence.push_back(shown_by("SYN-ACKs without the options that the SYN offered",
                                      syn_acks_of(server.bare), {{"syns_a_second", busy}}));
  finding.evidence.push_back(shown_by("SYN-ACKs of the same server with them",
                                      syn_acks_of(server.whole), {{"syns_a_second", quiet}}));
  finding.refuted_by = "SyncookiesSent of the server staying the same";
  finding.after_fix = {
      std::nullopt, "as the connections with all options; these do not show what they would reach"};
  finding.wireshark_filter = "tcp.flags.syn == 1 && tcp.flags.ack == 1 && !tcp.options.wscale";
  finding.next_capture = "on the server: nstat -az TcpExtSyncookiesSent TcpExtTCPReqQFullDoCookies";
  findings.list.push_back(std::move(finding));
}

void inspect(const Case& facts, Findings& findings) {
  std::map<Endpoint, Server> servers;
  for (const Attempt& attempt : attempts_of(facts))
    servers[attempt.connection->server].syns.push_back(attempt.at);
  for (const ConnectionFacts& connection : facts.connections) {
    if (const auto found = servers.find(connection.server); found != servers.end()) {
      sort_out(found->second, connection);
    }
  }
  for (const auto& [endpoint, server] : servers) inspect_server(endpoint, server, findings);
}

}  // namespace

extern const Detector syn_backlog_cookies;
const Detector syn_backlog_cookies{.id = kId,
                                   .scope = Scope::capture,
                                   .needs = "handshakes with one server, in and out of load",
                                   .inspect = inspect};

}  // namespace slowpath::detect::detectors
