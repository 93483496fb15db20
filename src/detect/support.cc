// SPDX-License-Identifier: Apache-2.0
// Helpers of detectors: see support.h.
#include "detect/support.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"

namespace slowpath::detect {
namespace {

constexpr double kLowestConfidence = 0.5;
constexpr double kHighestConfidence = 0.99;

std::vector<FrameRef> frames_of(const Exemplars& exemplars) {
  std::vector<FrameRef> frames;
  for (std::size_t i = 0; i < exemplars.kept(); ++i) {
    if (exemplars.first[i]) frames.push_back(exemplars.first[i]);
  }
  return frames;
}

}  // namespace

const CaptureFacts* Transfer::capture() const {
  const std::size_t input = connection.first_frame.input();
  return input < facts.captures.size() ? &facts.captures[input] : nullptr;
}

std::vector<Transfer> all_transfers(const Case& facts) {
  std::vector<Transfer> transfers;
  transfers.reserve(facts.connections.size() * 2);
  for (const ConnectionFacts& connection : facts.connections) {
    transfers.push_back({facts, connection, Direction::to_server});
    transfers.push_back({facts, connection, Direction::to_client});
  }
  return transfers;
}

std::vector<Transfer> transfers_with_data(const Case& facts) {
  std::vector<Transfer> transfers;
  for (const Transfer& transfer : all_transfers(facts)) {
    if (transfer.data().bytes > 0) transfers.push_back(transfer);
  }
  return transfers;
}

double seconds_between(Time begin, Time end) { return to_seconds(end - begin); }

const ConnectionFacts* find_connection(const Case& facts, std::uint32_t id) {
  // Ids ascend, and mostly equal the position.
  if (id < facts.connections.size() && facts.connections[id].id == id)
    return &facts.connections[id];
  const auto found = std::ranges::lower_bound(facts.connections, id, {}, &ConnectionFacts::id);
  return found != facts.connections.end() && found->id == id ? &*found : nullptr;
}

double duration_s(const ConnectionFacts& connection) {
  return std::max(0.0, seconds_between(connection.first, connection.last));
}

double active_s(const ConnectionFacts& connection) {
  Time end = connection.first;
  for (const DirectionFacts& direction : connection.directions) {
    end = std::max({end, direction.last_data, direction.last_ack});
  }
  end = std::min(end, connection.last);
  const double active = seconds_between(connection.first, end);
  return active > 0 ? active : duration_s(connection);
}

const SynFacts* syn_of_receiver(const Transfer& transfer) {
  const auto& handshake = transfer.connection.handshake;
  const auto& syn = transfer.direction == Direction::to_server ? handshake.syn_ack : handshake.syn;
  return syn ? &*syn : nullptr;
}

const SynFacts* syn_of_sender(const Transfer& transfer) {
  const auto& handshake = transfer.connection.handshake;
  const auto& syn = transfer.direction == Direction::to_server ? handshake.syn : handshake.syn_ack;
  return syn ? &*syn : nullptr;
}

bool contents_were_rewritten(const Transfer& transfer) {
  const CaptureFacts* capture = transfer.capture();
  return capture != nullptr && (capture->addresses_rewritten || capture->lengths_rewritten);
}

double confidence_of(double base, const Transfer& transfer) {
  double confidence = base;
  const DirectionFacts& data = transfer.data();
  if (data.vantage == Vantage::unknown) confidence *= 0.93;
  if (data.unseen_acked_bytes * 100 > data.bytes) confidence *= 0.85;
  if (const CaptureFacts* capture = transfer.capture()) {
    if (capture->reported_drops > 0) confidence *= 0.95;
    if (capture->clock_jumps > 0) confidence *= 0.9;
    if (capture->damage_count > 0) confidence *= 0.95;
  }
  return std::clamp(confidence, kLowestConfidence, kHighestConfidence);
}

double how_far(double value, double threshold, double certain) {
  if (certain == threshold) return value >= certain ? 1 : 0;
  return std::clamp((value - threshold) / (certain - threshold), 0.0, 1.0);
}

Finding about(std::string_view fault, const Transfer& transfer) {
  Finding finding;
  finding.fault = fault;
  finding.connections = {transfer.connection.id};
  finding.direction = transfer.direction;
  return finding;
}

Finding about(std::string_view fault, const ConnectionFacts& connection) {
  Finding finding;
  finding.fault = fault;
  finding.connections = {connection.id};
  return finding;
}

Evidence shown_by(std::string text, const Exemplars& frames, Figures values) {
  return {EvidenceKind::frames, std::move(text), frames_of(frames), std::move(values)};
}

Evidence shown_by(std::string text, std::initializer_list<FrameRef> frames, Figures values) {
  Evidence evidence{EvidenceKind::frames, std::move(text), {}, std::move(values)};
  for (const FrameRef frame : frames) {
    if (frame && evidence.frames.size() < Exemplars::kKept) evidence.frames.push_back(frame);
  }
  return evidence;
}

Evidence shown_by(const PayloadDifference& difference) {
  return shown_by(
      fmt::format("{} of {} bytes differ from byte {} of the stream on", difference.differing,
                  difference.compared, difference.offset + difference.first_difference),
      {difference.original, difference.resend},
      {{"differing_bytes", difference.differing}, {"compared_bytes", difference.compared}});
}

std::string frame_list(const Exemplars& exemplars) {
  std::string list;
  const std::vector<FrameRef> frames = frames_of(exemplars);
  for (const FrameRef frame : frames) {
    if (!list.empty()) list += ", ";
    list += fmt::format("{}", frame.number());
  }
  if (exemplars.count > frames.size() && !list.empty()) list += " …";
  return list;
}

std::string stream_filter(const ConnectionFacts& connection, std::string_view rest) {
  if (rest.empty()) return fmt::format("tcp.stream eq {}", connection.id);
  return fmt::format("tcp.stream eq {} && {}", connection.id, rest);
}

std::string capture_command(const ConnectionFacts& connection, std::string_view file) {
  return fmt::format("tcpdump -ni DEV -s 128 -w {} 'host {} and host {} and port {}'", file,
                     to_string(connection.client.address), to_string(connection.server.address),
                     connection.server.port);
}

std::string capture_from_handshake(const ConnectionFacts& connection) {
  return "from the handshake on: " + capture_command(connection, "from_the_start.pcap");
}

std::string socket_command(const IpAddress& peer, std::string_view options) {
  return fmt::format("ss {} dst {}", options, in_brackets(peer));
}

std::string name_sender(const Transfer& transfer) {
  return fmt::format("the sender ({})", to_string(transfer.sender()));
}

std::string name_receiver(const Transfer& transfer) {
  return fmt::format("the receiver ({})", to_string(transfer.receiver()));
}

void silent(Findings& findings, std::string_view fault, const Transfer& transfer, std::string why) {
  if (findings.silences == nullptr) return;
  findings.silences->push_back({fault, transfer.connection.id, transfer.direction, std::move(why)});
}

void silent(Findings& findings, std::string_view fault, const ConnectionFacts& connection,
            std::string why) {
  if (findings.silences == nullptr) return;
  findings.silences->push_back({fault, connection.id, std::nullopt, std::move(why)});
}

void silent(Findings& findings, std::string_view fault, std::string why) {
  if (findings.silences == nullptr) return;
  findings.silences->push_back({fault, 0, std::nullopt, std::move(why)});
}

}  // namespace slowpath::detect
