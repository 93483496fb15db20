// SPDX-License-Identifier: Apache-2.0
// wscale-stripped, wscale-misapplied, sack-stripped, ts-broken, mss-rewritten and shifted sequence
// numbers by test: what one end sent is not what the other saw, so a box between changed it.
// Nothing is concluded from one end alone.
#include <cstdint>

#include <fmt/format.h>

#include "detect/path/rules.h"

namespace slowpath::detect::path {
namespace {

struct Passage {
  const PathTestFacts& test;
  const HandshakeHeader& sent;
  const HandshakeHeader& seen;
  Direction direction;
  std::string_view name;  // "SYN"
};

Finding changed(const Passage& passage, std::string_view fault, Severity severity, std::string what,
                std::string refuted) {
  Finding finding =
      found(fault, severity, 0.95,
            fmt::format("a box on the way {} {}", way_of(passage.test, passage.direction), what));
  finding.direction = passage.direction;
  finding.refuted_by = std::move(refuted);
  return finding;
}

void judge_presence(const Passage& passage, bool sent, bool seen, std::string_view option,
                    std::string_view fault, Findings& findings) {
  if (!sent || seen) return;
  Finding finding = changed(passage, fault, Severity::fault,
                            fmt::format("takes the {} option out of the {}", option, passage.name),
                            fmt::format("the option arriving in the {}", passage.name));
  finding.evidence.push_back(
      tested(fmt::format("the {} was sent with {} and arrived without", passage.name, option)));
  findings.push_back(std::move(finding));
}

void judge_scale(const Passage& passage, Findings& findings) {
  const TcpOptions& sent = passage.sent.options;
  const TcpOptions& seen = passage.seen.options;
  judge_presence(passage, sent.has_window_scale, seen.has_window_scale, "window scale",
                 "wscale-stripped", findings);
  // Without the packets themselves only the option's presence is known for sure.
  if (!passage.sent.has_ip || !passage.seen.has_ip) return;
  if (!sent.has_window_scale || !seen.has_window_scale || sent.window_scale == seen.window_scale) {
    return;
  }
  Finding finding = changed(passage, "wscale-misapplied", Severity::fault,
                            fmt::format("changes the window scale in the {} from {} to {}",
                                        passage.name, sent.window_scale, seen.window_scale),
                            "the same shift at both ends");
  finding.evidence.push_back(
      tested(fmt::format("sent {}, seen {}", sent.window_scale, seen.window_scale),
             {{"sent", sent.window_scale}, {"seen", seen.window_scale}}));
  findings.push_back(std::move(finding));
}

/// Clamping to what the path carries is what such boxes are for; raising is a black hole to be.
void judge_mss(const Passage& passage, Findings& findings) {
  const TcpOptions& sent = passage.sent.options;
  const TcpOptions& seen = passage.seen.options;
  if (!sent.has_mss || !seen.has_mss || sent.mss == seen.mss) return;
  constexpr std::uint16_t kTiny = 1000;
  const bool harms = seen.mss > sent.mss || (seen.mss < kTiny && seen.mss < sent.mss);
  Finding finding = changed(
      passage, "mss-rewritten", harms ? Severity::fault : Severity::note,
      fmt::format("{} the MSS in the {} from {} to {}", seen.mss > sent.mss ? "raises" : "lowers",
                  passage.name, sent.mss, seen.mss),
      "the same MSS at both ends");
  finding.evidence.push_back(tested(fmt::format("sent {}, seen {}", sent.mss, seen.mss),
                                    {{"sent", sent.mss}, {"seen", seen.mss}}));
  findings.push_back(std::move(finding));
}

/// Harmless by itself; a box that forgets the SACK blocks makes it a fault that only loss shows.
void judge_sequence(const Passage& passage, Findings& findings) {
  if (!passage.sent.has_sequence || !passage.seen.has_sequence ||
      passage.sent.sequence == passage.seen.sequence)
    return;
  const auto shift = static_cast<std::int32_t>(passage.seen.sequence - passage.sent.sequence);
  Finding finding = changed(passage, "sack-mangled", Severity::suspect,
                            fmt::format("shifts sequence numbers by {}", shift),
                            "SACK blocks that are shifted as well");
  finding.confidence = 0.5;
  finding.evidence.push_back(
      tested(fmt::format("the {} left with {} and arrived with {}", passage.name,
                         passage.sent.sequence, passage.seen.sequence),
             {{"shift", shift}}));
  finding.next_capture =
      "slowpath diagnose of a capture at each end, during a transfer with loss: are SACK blocks "
      "shifted, too?";
  findings.push_back(std::move(finding));
}

void judge_ecn(const Passage& passage, Findings& findings) {
  if (!passage.sent.ece || !passage.sent.cwr || passage.seen.ece || passage.seen.cwr) return;
  Finding finding =
      changed(passage, "ecn-blackhole", Severity::note,
              fmt::format("clears the ECN flags of the {}", passage.name), "the flags arriving");
  finding.evidence.push_back(
      tested("sent with ECE and CWR, seen without: ECN is not used, nothing is lost"));
  findings.push_back(std::move(finding));
}

void judge(const Passage& passage, Findings& findings) {
  if (!passage.sent.known || !passage.seen.known) return;
  judge_scale(passage, findings);
  const TcpOptions& sent = passage.sent.options;
  const TcpOptions& seen = passage.seen.options;
  judge_presence(passage, sent.sack_permitted, seen.sack_permitted, "SACK permitted",
                 "sack-stripped", findings);
  judge_presence(passage, sent.has_timestamps, seen.has_timestamps, "timestamps", "ts-broken",
                 findings);
  judge_mss(passage, findings);
  judge_sequence(passage, findings);
  judge_ecn(passage, findings);
}

}  // namespace

void options_changed(const PathTestFacts& test, Findings& findings) {
  if (!test.middlebox || !test.middlebox->unable.empty()) return;
  const MiddleboxTest& boxes = *test.middlebox;
  judge({test, boxes.syn_sent, boxes.syn_seen, Direction::to_server, "SYN"}, findings);
  judge({test, boxes.syn_ack_sent, boxes.syn_ack_seen, Direction::to_client, "SYN-ACK"}, findings);
}

}  // namespace slowpath::detect::path
