// SPDX-License-Identifier: Apache-2.0
// ts-broken: timestamps are stripped after the handshake, echoed wrongly or set back on the way.
// The user sees resends and stalls that go away with timestamps off. Recognised, once both SYNs
// carried the option, by segments without it, by echoes of values that were never sent, or by
// values that jump back, which the receiver drops as old (PAWS, RFC 7323 section 5). Look-alikes:
// an offset that differs from connection to connection is normal (section 7.1), SYNs that are
// dropped (paws-nat-drop), resets and keep-alives, which may lack the option.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/loss_time.h"
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "ts-broken";
constexpr std::uint64_t kPackets = 5;
// A box that breaks timestamps breaks those of one packet in ten at least.
constexpr double kShare = 0.1;

struct Broken {
  std::uint64_t packets = 0;
  double share = 0;
  std::string_view what;
  Exemplars frames;
};

Broken worst_of(const MarkFacts& marks) {
  const double all = static_cast<double>(marks.stamped + marks.unstamped.count);
  Broken worst;
  const auto look = [&](const Exemplars& frames, std::string_view what) {
    if (frames.count <= worst.packets) return;
    worst = {frames.count, all > 0 ? static_cast<double>(frames.count) / all : 0, what, frames};
  };
  look(marks.unstamped, "lack the timestamps that both SYNs agreed on");
  look(marks.foreign_echo, "echo timestamps that were never sent");
  look(marks.stamp_back, "carry new data with timestamps that jump back");
  return worst;
}

void report(const ConnectionFacts& connection, Direction way, const Broken& broken,
            Findings& findings) {
  double seconds = 0;
  for (const DirectionFacts& data : connection.directions)
    seconds = std::max(seconds, loss_s(data));
  Finding finding = about(kFault, connection);
  finding.seconds_lost = std::min(seconds, duration_s(connection));
  finding.severity =
      is_material(finding.seconds_lost, active_s(connection)) ? Severity::fault : Severity::note;
  finding.confidence = 0.75 + 0.2 * how_far(broken.share, kShare, 0.9);
  const bool to_server = way == Direction::to_server;
  finding.claim = fmt::format("{} packets of {} ({}) {}", broken.packets,
                              to_string(to_server ? connection.client : connection.server),
                              format_percent(broken.share), broken.what);
  finding.evidence.push_back(
      shown_by(fmt::format("these {}", broken.what), broken.frames,
               {{"packets", static_cast<double>(broken.packets)}, {"share", broken.share}}));
  finding.evidence.push_back(
      shown_by("both SYNs carry timestamps",
               {connection.handshake.syn->frame, connection.handshake.syn_ack->frame}));
  finding.refuted_by = "the same packets, just so, where they were sent";
  finding.wireshark_filter =
      stream_filter(connection, "!tcp.options.timestamp.tsval || tcp.analysis.retransmission");
  findings.list.push_back(std::move(finding));
}

void inspect(const Case& facts, Findings& findings) {
  for (const ConnectionFacts& connection : facts.connections) {
    if (!connection.handshake.syn || !connection.handshake.syn_ack) continue;
    for (const Direction way : {Direction::to_server, Direction::to_client}) {
      const Broken broken = worst_of(connection.beside.marks[static_cast<std::size_t>(way)]);
      if (broken.packets == 0) continue;
      if (broken.packets < kPackets || broken.share < kShare) {
        silent(findings, kFault, connection,
               fmt::format("{} packets ({}) {}; {} and {} are needed", broken.packets,
                           format_percent(broken.share), broken.what, kPackets,
                           format_percent(kShare)));
        continue;
      }
      report(connection, way, broken, findings);
      break;
    }
  }
}

}  // namespace

extern const Detector ts_broken;
const Detector ts_broken{.id = kFault,
                         .scope = Scope::connection,
                         .needs = "the handshake, and several round trips after it",
                         .inspect = inspect};

}  // namespace slowpath::detect::detectors
