// SPDX-License-Identifier: Apache-2.0
// Rules and words of unanswered.h.
#include "detect/unanswered.h"

#include <algorithm>
#include <map>
#include <string>

#include <fmt/format.h>

#include "base/format.h"

namespace slowpath::detect {
namespace {

// So many, and most of all attempts: a capture that ends while some are pending holds fewer, or
// many more that were set up.
constexpr std::uint64_t kMany = 50;
constexpr double kMost = 0.5;
// And so many a second: what scans of the whole Internet leave at one address is one or two.
constexpr double kPerSecond = 10;

bool is_flood(std::uint64_t failed, std::uint64_t all, double span_s) {
  const auto count = static_cast<double>(failed);
  return failed >= kMany && count > kMost * static_cast<double>(all) &&
         count >= kPerSecond * span_s;
}

struct Attempts {
  std::uint64_t all = 0, unanswered = 0, incomplete = 0;
  Time first = Time::max(), last = Time::min();  // of those that came to nothing
  std::map<Endpoint, std::uint64_t> servers;     // likewise

  [[nodiscard]] std::uint64_t failed() const { return unanswered + incomplete; }
  [[nodiscard]] double span_s() const { return failed() > 0 ? seconds_between(first, last) : 0; }
};

Attempts attempts_in(const Case& facts) {
  Attempts attempts;
  for (const ConnectionFacts& connection : facts.connections) {
    const HandshakeFacts& handshake = connection.handshake;
    if (handshake.syn_count == 0) continue;
    ++attempts.all;
    // A refusal is an answer, and so is data, whatever else of the connection was captured.
    const bool has_data = connection.directions[0].bytes + connection.directions[1].bytes > 0;
    if (has_data || handshake.completed || handshake.refused || connection.icmp_count > 0) continue;
    ++(handshake.syn_ack_count > 0 ? attempts.incomplete : attempts.unanswered);
    attempts.first = std::min(attempts.first, connection.first);
    attempts.last = std::max(attempts.last, connection.first);
    ++attempts.servers[connection.server];
  }
  return attempts;
}

/// "1 999 of 2 000 connection attempts, nearly all to 192.0.2.1:443, were never answered".
std::string what_failed(const Attempts& attempts, const Endpoint& server, bool to_one) {
  const std::string many = fmt::format(
      "{} of {} connection attempts{}", format_count(attempts.failed()), format_count(attempts.all),
      to_one ? fmt::format(", nearly all to {},", to_string(server)) : std::string());
  if (attempts.incomplete == 0) return many + " were never answered";
  if (attempts.unanswered == 0) return many + " were answered and never completed";
  return fmt::format("{} came to nothing ({} without an answer, {} never completed)", many,
                     format_count(attempts.unanswered), format_count(attempts.incomplete));
}

double span_of_captures_s(const Case& facts) {
  double span_s = 0;
  for (const CaptureFacts& capture : facts.captures) {
    if (capture.packets > 0)
      span_s = std::max(span_s, seconds_between(capture.first, capture.last));
  }
  return span_s;
}

}  // namespace

std::optional<Doubt> doubt_about_attempts(const Case& facts) {
  const Attempts attempts = attempts_in(facts);
  if (!is_flood(attempts.failed(), attempts.all, attempts.span_s())) return std::nullopt;
  const auto most = std::ranges::max_element(attempts.servers, {},
                                             [](const auto& server) { return server.second; });
  const auto& [server, count] = *most;
  constexpr std::uint64_t kNearlyAll = 10;  // all but one in so many
  const bool to_one = (attempts.failed() - count) * kNearlyAll <= attempts.failed();
  std::string why = what_failed(attempts, server, to_one);
  const auto with_data = std::ranges::count_if(facts.connections, [](const ConnectionFacts& c) {
    return c.directions[0].bytes + c.directions[1].bytes > 0;
  });
  if (with_data > 0) {
    why += fmt::format("; nothing was found wrong with the {} that carried data beside them",
                       with_data == 1
                           ? "connection"
                           : format_count(static_cast<std::uint64_t>(with_data)) + " connections");
  }
  return Doubt{
      std::move(why),
      {fmt::format("at {}: tcpdump -ni DEV -s 128 -w server.pcap 'tcp port {}'    (do these "
                   "SYNs arrive, and does it answer?)",
                   to_string(server.address), server.port),
       fmt::format("on {}: slowpath inspect    (full queues, dropped SYNs, SYN cookies)",
                   to_string(server.address))},
      0};
}

std::uint64_t flood_left(const Case& facts, const ScreeningFacts& screening) {
  const SignFacts& handshakes = screening[LightSign::handshake];
  if (!is_flood(handshakes.connections, screening.connections, span_of_captures_s(facts))) return 0;
  return handshakes.connections - handshakes.analysed;
}

}  // namespace slowpath::detect
