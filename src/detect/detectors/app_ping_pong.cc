// SPDX-License-Identifier: Apache-2.0
// app-ping-pong: a protocol that asks for one small block, waits for it, and only then asks for the
// next. The user sees a rate of block / round trip, the same on any link (SMB1, NFS with a small
// rsize, database drivers that fetch row by row). Recognised by payload that changes its direction
// again and again, with a round trip between the blocks and nobody thinking. Look-alikes: a small
// receive window (data goes one way only), a slow server or client (the waits are longer than the
// round trip), an interactive session (people pause between exchanges), and a few exchanges before
// a transfer, which every protocol has.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "app-ping-pong";
// Worth a word: handshakes of TLS, SSH and SMB together take fewer than these.
constexpr std::uint64_t kExchanges = 20;
// A habit of the protocol: a page and all its pictures come over one connection with fewer.
constexpr std::uint64_t kExchangesOfAHabit = 50;
// Waiting for round trips is most of what the connection does.
constexpr double kShare = 0.5;
// Somebody has waited: below a second nobody asks why it is slow, however it came.
constexpr double kSeconds = 1.0;
// Below a millisecond the hosts' own time weighs as much as the path.
constexpr double kLeastRtt = 0.001;

double mean(std::uint64_t bytes, std::uint64_t count) {
  return static_cast<double>(bytes) / static_cast<double>(std::max<std::uint64_t>(count, 1));
}

void report(const Transfer& transfer, double share, Findings& findings) {
  const ConnectionFacts& connection = transfer.connection;
  const ExchangeFacts& exchanges = connection.beside.exchanges;
  Finding finding = about(kId, transfer);
  finding.seconds_lost = std::min(exchanges.waited_s, duration_s(connection));
  const bool waited_long =
      share >= kShare && exchanges.waited_s >= kSeconds && exchanges.prompt >= kExchangesOfAHabit;
  finding.severity =
      waited_long ? severity_of(true, finding.seconds_lost, transfer) : Severity::note;
  finding.confidence = confidence_of(0.75 + 0.1 * how_far(share, kShare, 0.8) +
                                         0.1 * how_far(static_cast<double>(exchanges.prompt),
                                                       static_cast<double>(kExchanges), 100),
                                     transfer);
  const double request = mean(connection[Direction::to_server].bytes, exchanges.count);
  const double answer = mean(connection[Direction::to_client].bytes, exchanges.count);
  finding.claim = fmt::format(
      "{} and {} took turns {} times, about {} for {}, and in {} of them one waited for the other, "
      "up to a round trip of {}: {} in all",
      to_string(connection.client), to_string(connection.server), exchanges.count,
      format_bytes(request), format_bytes(answer), exchanges.prompt,
      format_duration(exchanges.round_trip_s), format_duration(exchanges.waited_s));
  finding.evidence.push_back(shown_by(
      fmt::format("in {} of {} exchanges no more than a round trip passed between the blocks: "
                  "nobody was thinking; together {} of the connection's time",
                  exchanges.prompt, exchanges.count, format_percent(share)),
      exchanges.requests,
      {{"exchanges", static_cast<double>(exchanges.count)},
       {"prompt_exchanges", static_cast<double>(exchanges.prompt)},
       {"waited_s", exchanges.waited_s}}));
  finding.evidence.push_back(shown_by(
      fmt::format("the round trip is {}{}", format_duration(exchanges.round_trip_s),
                  connection.handshake.syn_ack_frames.count > 0 ? " already in the handshake" : ""),
      connection.handshake.syn_ack_frames, {{"rtt_us", exchanges.round_trip_s * 1e6}}));
  finding.refuted_by = "a second request that leaves before the answer to the first has come";
  finding.wireshark_filter = stream_filter(connection, "tcp.len > 0");
  findings.list.push_back(std::move(finding));
}

void inspect_connection(const Case& facts, const ConnectionFacts& connection, Findings& findings) {
  const ExchangeFacts& exchanges = connection.beside.exchanges;
  if (exchanges.count == 0) return;
  const auto& [up, down] = connection.directions;
  const Transfer transfer{facts, connection,
                          up.bytes > down.bytes ? Direction::to_server : Direction::to_client};
  const double active = active_s(connection);
  const double share = active > 0 ? std::min(1.0, exchanges.waited_s / active) : 0;
  if (exchanges.prompt < kExchanges || !is_material(exchanges.waited_s, transfer)) {
    return silent(
        findings, kId, connection,
        fmt::format("{} waited for nothing but the round trip, {} in all; {} "
                    "exchanges and {} of the time are needed",
                    counted(exchanges.prompt, "exchange"), format_duration(exchanges.waited_s),
                    kExchanges, format_percent(kMaterialShare)));
  }
  if (exchanges.round_trip_s < kLeastRtt) {
    return silent(
        findings, kId, connection,
        fmt::format("at a round trip of {} the hosts' own time weighs as much as the path",
                    format_duration(exchanges.round_trip_s)));
  }
  report(transfer, share, findings);
}

void inspect(const Case& facts, Findings& findings) {
  for (const ConnectionFacts& connection : facts.connections) {
    if (connection.client_known) inspect_connection(facts, connection, findings);
  }
}

}  // namespace

extern const Detector app_ping_pong;
const Detector app_ping_pong{
    .id = kId,
    .scope = Scope::connection,
    .needs = "a handshake or a service's port, to know the client, and both directions",
    .inspect = inspect};

}  // namespace slowpath::detect::detectors
