// SPDX-License-Identifier: Apache-2.0
// When the honest answer about a whole input is `unclear`: it is about something else than TCP, it
// is damaged, too little was seen, or what matters of it is in doubt.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/capture_loss.h"
#include "detect/policy.h"
#include "detect/synthesis_steps.h"
#include "detect/unanswered.h"

namespace slowpath::detect {
namespace {

// From this share of the file's bytes damaged, what is left does not speak for the whole.
constexpr double kDamagedShare = 0.50;
// Packets of two queues are swapped by microseconds, and a clock that is set steps once.
constexpr double kBackwardsShare = 0.05;
constexpr double kBackwards_s = 0.01;
// TCP packets below this share of all IP packets: the capture is about something else.
constexpr double kMostlyOther = 0.10;
// Connections in doubt must have been active for this share of all active time.
constexpr double kDoubtfulShare = 0.30;

std::optional<Doubt> doubt_about_kind(const Case& facts) {
  std::uint64_t tcp = 0;
  std::uint64_t udp = 0;
  std::uint64_t quic = 0;
  std::uint64_t packets = 0;
  for (const CaptureFacts& capture : facts.captures) {
    tcp += capture.tcp_packets;
    udp += capture.udp_packets;
    quic += capture.quic_packets;
    packets += capture.packets;
  }
  const double datagrams = static_cast<double>(udp + quic);
  const bool mostly_other =
      tcp > 0 && static_cast<double>(tcp) < kMostlyOther * (static_cast<double>(tcp) + datagrams);
  if (tcp > 0 && !mostly_other) return std::nullopt;
  const std::string what =
      packets == 0 ? "the capture holds no packets"
                   : fmt::format("{} of {} packets are TCP ({} UDP, {} QUIC)", format_count(tcp),
                                 format_count(packets), format_count(udp), format_count(quic));
  return Doubt{what + "; only TCP is diagnosed", {"tcpdump -ni DEV -s 128 -w tcp.pcap tcp"}, 0};
}

std::optional<Doubt> doubt_about_file(const Case& facts) {
  for (const CaptureFacts& capture : facts.captures) {
    const double damaged = static_cast<double>(capture.damaged_bytes);
    const double sound = static_cast<double>(capture.bytes);
    if (damaged > 0 && damaged >= kDamagedShare * (damaged + sound)) {
      return Doubt{fmt::format("{} of {} is damaged, so what is left does not speak for the whole",
                               format_bytes(damaged), capture.file),
                   {"tcpdump -ni DEV -s 128 -w again.pcap tcp"},
                   0};
    }
    const bool is_backwards = static_cast<double>(capture.time_steps_back) >=
                                  kBackwardsShare * static_cast<double>(capture.packets) &&
                              capture.largest_step_back_s >= kBackwards_s;
    if (is_backwards) {
      return Doubt{
          fmt::format("the clock of {} steps back at {} of {} packets, by up to {}: no time in it "
                      "means anything",
                      capture.file, format_count(capture.time_steps_back),
                      format_count(capture.packets), format_duration(capture.largest_step_back_s)),
          {"tcpdump -ni DEV -s 128 -w again.pcap tcp"},
          0};
    }
    if (capture.reported_drops > capture.packets) {
      return Doubt{fmt::format("the capturing program itself dropped {} packets and kept {}",
                               format_count(capture.reported_drops), format_count(capture.packets)),
                   {"tcpdump -ni DEV -s 128 -B 65536 -w again.pcap tcp"},
                   0};
    }
  }
  return std::nullopt;
}

std::optional<Doubt> doubt_about_little(const Case& facts) {
  for (const ConnectionFacts& connection : facts.connections) {
    const bool closed = connection.handshake.completed && connection.close != CloseKind::open;
    if (carried_bytes(connection) > 0 || closed) return std::nullopt;
  }
  return Doubt{
      fmt::format("{} seen, none with data or with a whole handshake and an end",
                  counted(facts.connections_total, "TCP connection")),
      {"tcpdump -ni DEV -s 128 -w from_the_start.pcap tcp    (start it before the transfer)"},
      0};
}

}  // namespace

std::optional<Doubt> doubt_about_all(const Case& facts, std::span<const Finding> findings) {
  if (auto doubt = doubt_about_kind(facts)) return doubt;
  if (auto doubt = doubt_about_file(facts)) return doubt;
  if (auto doubt = doubt_about_little(facts)) return doubt;
  const FindingIndex index(findings);
  double all_s = 0;
  double doubtful_s = 0;
  std::uint64_t all_bytes = 0;
  std::uint64_t doubtful_bytes = 0;
  std::optional<Doubt> worst;
  for (const ConnectionFacts& connection : facts.connections) {
    all_s += active_s(connection);
    all_bytes += carried_bytes(connection);
    if (carried_bytes(connection) == 0) continue;
    auto doubt = doubt_about(facts, connection, findings, index);
    if (!doubt) continue;
    doubtful_s += active_s(connection);
    doubtful_bytes += carried_bytes(connection);
    if (!worst || doubt->seconds > worst->seconds) worst = std::move(doubt);
  }
  // A few idle or broken connections beside a sound transfer do not make the capture unclear.
  const bool is_much =
      doubtful_s >= kDoubtfulShare * all_s &&
      static_cast<double>(doubtful_bytes) >= kMaterialShare * static_cast<double>(all_bytes);
  if (is_much) return worst;
  // Attempts that came to nothing carry no bytes and take no time.
  return doubt_about_attempts(facts);
}

}  // namespace slowpath::detect
