// SPDX-License-Identifier: Apache-2.0
// conntrack-invalid: a NAT calls a late but legal segment INVALID, passes it on untranslated, and
// the host that gets it answers with a RST.
// The user sees long downloads from containers die with "connection reset by peer". Recognised on
// the inner side of the NAT: a packet from an address that the host never spoke to, for a port that
// is busy with another connection, answered with a RST. The box's counter proves it. Look-alikes: a
// RST that a third party makes (rst-injected), scans (no busy port).
#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "conntrack-invalid";
// More packets than this are a conversation.
constexpr std::uint64_t kFewPackets = 16;

/// The end that sent the first RST.
std::optional<Endpoint> resetter(const ConnectionFacts& connection) {
  if (connection.resets.empty()) return std::nullopt;
  return connection.resets.front().direction == Direction::to_server ? connection.client
                                                                     : connection.server;
}

bool is_stray(const ConnectionFacts& connection) {
  return connection.handshake.is_missing() && connection.reset_count > 0 &&
         connection.directions[0].packets + connection.directions[1].packets <= kFewPackets;
}

/// What ports were busy with, and when. A port can have served as many connections as there are
/// strays, so most of them are passed over in blocks.
class BusyPorts {
 public:
  explicit BusyPorts(const Case& facts);
  /// The first connection with this end that went on when `stray` began, or nullptr.
  [[nodiscard]] const ConnectionFacts* with(const Endpoint& host,
                                            const ConnectionFacts& stray) const;

 private:
  static constexpr std::size_t kBlock = 64;
  struct Use {
    Endpoint port;
    const ConnectionFacts* connection;
  };
  struct Block {
    Time first, last;  // of any of its connections
  };
  std::vector<Use> uses_;  // by port, then in the order of the case
  std::vector<Block> blocks_;
};

BusyPorts::BusyPorts(const Case& facts) {
  for (const ConnectionFacts& connection : facts.connections) {
    if (!connection.handshake.completed) continue;
    uses_.push_back({connection.client, &connection});
    uses_.push_back({connection.server, &connection});
  }
  std::ranges::stable_sort(uses_, {}, &Use::port);
  for (std::size_t i = 0; i < uses_.size(); ++i) {
    const ConnectionFacts& connection = *uses_[i].connection;
    if (i % kBlock == 0) blocks_.push_back({connection.first, connection.last});
    blocks_.back().first = std::min(blocks_.back().first, connection.first);
    blocks_.back().last = std::max(blocks_.back().last, connection.last);
  }
}

const ConnectionFacts* BusyPorts::with(const Endpoint& host, const ConnectionFacts& stray) const {
  const auto from = std::ranges::lower_bound(uses_, host, {}, &Use::port);
  auto i = static_cast<std::size_t>(from - uses_.begin());
  while (i < uses_.size() && uses_[i].port == host) {
    const Block& block = blocks_[i / kBlock];
    if (block.first >= stray.first || stray.first > block.last) {
      i = (i / kBlock + 1) * kBlock;
      continue;
    }
    const ConnectionFacts& other = *uses_[i++].connection;
    const bool meanwhile = other.first < stray.first && stray.first <= other.last;
    if (meanwhile && other.id != stray.id) return &other;
  }
  return nullptr;
}

void report(const ConnectionFacts& stray, const ConnectionFacts& busy, const Endpoint& host,
            Findings& findings) {
  const Endpoint& other = stray.client == host ? stray.server : stray.client;
  const Endpoint& peer = busy.client == host ? busy.server : busy.client;
  const bool died = busy.close == CloseKind::reset || busy.close == CloseKind::open;
  Finding finding;
  finding.fault = kId;
  finding.connections = {std::min(stray.id, busy.id), std::max(stray.id, busy.id)};
  finding.severity = Severity::suspect;
  finding.confidence = died ? 0.7 : 0.6;
  finding.seconds_lost = died ? std::max(0.0, seconds_between(stray.first, busy.last)) : 0;
  finding.claim = fmt::format(
      "{} reset a packet from {}, which it never spoke to, while the same port talked to {}: a "
      "packet "
      "that the NAT did not translate",
      to_string(host), to_string(other), to_string(peer));
  finding.evidence.push_back(shown_by("the untranslated packet and the RST that answers it",
                                      {stray.first_frame, stray.resets.front().frame}));
  finding.evidence.push_back(
      shown_by("the connection that the port was busy with", {busy.first_frame, busy.last_frame}));
  finding.refuted_by = "a SYN between the two, or nf_conntrack's 'invalid' counter standing still";
  finding.after_fix = {std::nullopt, "the connection then lives on"};
  finding.wireshark_filter = fmt::format("tcp.stream eq {} || tcp.stream eq {}", stray.id, busy.id);
  finding.next_capture =
      "on the NAT: conntrack -S | grep -o 'invalid=[0-9]*'; sysctl "
      "net.netfilter.nf_conntrack_tcp_be_liberal";
  findings.list.push_back(std::move(finding));
}

void inspect(const Case& facts, Findings& findings) {
  std::optional<BusyPorts> ports;  // few captures ask
  for (const ConnectionFacts& stray : facts.connections) {
    if (!is_stray(stray)) continue;
    const auto host = resetter(stray);
    if (!ports) ports.emplace(facts);
    const ConnectionFacts* busy = host ? ports->with(*host, stray) : nullptr;
    if (busy == nullptr) {
      silent(
          findings, kId, stray,
          "a reset of something that began before the capture: its port was not in use otherwise");
      continue;
    }
    if (busy->server == *host) {
      // A server's port serves everybody; only its client's side tells one conversation from
      // another.
      silent(findings, kId, stray, "the port is a server's, which many clients use");
      continue;
    }
    report(stray, *busy, *host, findings);
  }
}

}  // namespace

extern const Detector conntrack_invalid;
const Detector conntrack_invalid{.id = kId,
                                 .scope = Scope::connection,
                                 .needs = "a capture on the host's side of the NAT",
                                 .inspect = inspect};

}  // namespace slowpath::detect::detectors
