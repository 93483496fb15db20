// SPDX-License-Identifier: Apache-2.0
// Answers made by hand: what the reports are tried on without a capture, an engine or a detector.
#pragma once

#include <cmath>
#include <limits>
#include <string>

#include "base/time.h"
#include "facts/address.h"
#include "report/answer.h"

namespace slowpath::report::test {

inline IpAddress ipv4(std::uint8_t last) { return IpAddress{{10, 0, 0, last}, 4}; }

inline CaptureFacts sender_capture() {
  CaptureFacts capture;
  capture.file = "lso_drop_1500.sender.pcap";
  capture.format = "pcap";
  capture.link_type = "Ethernet";
  capture.packets = 1200;
  capture.bytes = 1'700'000;
  capture.tcp_packets = 1200;
  capture.first = time_from_ns(1'700'000'000'000'000'000);
  capture.last = capture.first + from_seconds(8.2);
  capture.vantage = Vantage::sender;
  capture.notes = {
      {"nf-tso-superframe", 127, "127 frames above the MTU are left to the NIC to cut", {}},
      {"nf-partial-csum", 640, "640 checksums are left to the NIC to finish", {}}};
  return capture;
}

inline ConnectionFacts upload(std::uint32_t id, std::uint16_t port) {
  ConnectionFacts connection;
  connection.id = id;
  connection.client = {ipv4(1), port};
  connection.server = {ipv4(2), 9000};
  connection.client_known = true;
  connection.first = time_from_ns(1'700'000'000'000'000'000);
  connection.last = connection.first + from_seconds(8.2);
  DirectionFacts& data = connection[Direction::to_server];
  data.seen = data.acks_seen = true;
  data.bytes = 1'570'000;
  data.packets = 700;
  data.resent_bytes = 183'000;
  data.resent_packets = 127;
  data.transfer_s = 8.2;
  data.goodput_bps = 1'570'000 * 8 / 8.2;
  data.rtt.total = {300, 0.00012, 0.00013, 0.0004, 0.0008};
  data.time[TimeOwner::timeout] = 7.84;
  data.time[TimeOwner::loss_recovery] = 0.17;
  data.time[TimeOwner::congestion_window] = 0.156;
  data.time[TimeOwner::unknown] = 0.034;
  return connection;
}

inline Finding large_sends_finding() {
  Finding finding;
  finding.fault = "lso-not-segmented";
  finding.severity = Severity::fault;
  finding.confidence = 0.99;
  finding.connections = {0};
  finding.direction = Direction::to_server;
  finding.seconds_lost = 7.84;
  finding.claim =
      "127 of 127 frames longer than one segment were lost, and each passed in pieces "
      "after a timeout";
  finding.evidence = {
      {EvidenceKind::frames,
       "none of the 127 frames above 1514 bytes was acknowledged at first sending",
       {FrameRef{0, 4}, FrameRef{0, 5}, FrameRef{0, 10}, FrameRef{0, 15}},
       {{"superframes", 127}, {"delivered", 0}}},
      {EvidenceKind::frames,
       "frames of 1514 bytes or less were; after each timeout the same bytes pass in pieces",
       {FrameRef{0, 9}, FrameRef{0, 14}},
       {}}};
  finding.ruled_out = {{"pmtud-blackhole", "1514-byte frames pass"},
                       {"random-loss", "loss depends on size alone"}};
  finding.refuted_by = "a frame above the MTU that is acknowledged within one round trip";
  finding.after_fix = {std::nullopt,
                       "no loss left; window 2.4 MB and RTT 0.13 ms allow the link's rate"};
  finding.wireshark_filter = "tcp.stream eq 0 && frame.len > 1514";
  return finding;
}

/// One fault, one connection.
inline Answer large_sends() {
  Answer answer;
  answer.facts.captures = {sender_capture()};
  answer.facts.connections = {upload(0, 47876)};
  answer.facts.connections_total = 1;
  answer.diagnosis.verdict = "lso-not-segmented";
  answer.diagnosis.confidence = 0.99;
  answer.diagnosis.summary = "Large sends are lost whole. It cost 7.84 s of 8.2 s.";
  answer.diagnosis.findings = {large_sends_finding()};
  answer.diagnosis.connection_verdicts = {"lso-not-segmented"};
  answer.elapsed_s = 0.012;
  return answer;
}

inline Answer healthy() {
  Answer answer = large_sends();
  answer.diagnosis = {};
  answer.diagnosis.verdict = "healthy";
  answer.diagnosis.confidence = 0.95;
  answer.diagnosis.summary =
      "No fault was found in 1 connection; the largest moved 1.50 MiB in 8.2 s, "
      "most of it (95.6 %) owned by application.";
  answer.diagnosis.connection_verdicts = {"healthy"};
  CaptureFacts& capture = answer.facts.captures.front();
  capture.notes.push_back(
      {"nf-keepalive", 3, "3 keep-alives carry one old byte each", {FrameRef{0, 7}}});
  DirectionFacts& data = answer.facts.connections.front()[Direction::to_server];
  data.resent_bytes = data.resent_packets = 0;
  data.resends[static_cast<std::size_t>(ResendClass::keep_alive)].packets = 3;
  data.time = {};
  data.time[TimeOwner::application] = 7.84;
  data.time[TimeOwner::slow_start] = 0.36;
  return answer;
}

inline Answer unclear() {
  Answer answer = healthy();
  answer.diagnosis.verdict = "unclear";
  answer.diagnosis.confidence = 0.6;
  answer.diagnosis.summary =
      "No cause can be named: the data was not seen, only its acknowledgments.";
  answer.diagnosis.look_next = {
      "at the sender: tcpdump -ni DEV -s 128 -w sender.pcap 'host 10.0.0.2 and port 9000'"};
  answer.diagnosis.connection_verdicts = {"unclear"};
  Finding suspect;
  suspect.fault = "random-loss";
  suspect.severity = Severity::suspect;
  suspect.confidence = 0.4;
  suspect.connections = {0};
  suspect.claim = "3 of 90 segments were lost without regard to size or time";
  suspect.next_capture = "tcpdump -ni DEV -s 128 -w receiver.pcap 'port 9000'    (at the receiver)";
  answer.diagnosis.findings = {suspect};
  return answer;
}

/// A damaged file, one that could not be read, a live interface's change, and what was skipped.
inline Answer poor_witness() {
  Answer answer = unclear();
  CaptureFacts& capture = answer.facts.captures.front();
  capture.name = "client";
  capture.damage_count = 2;
  capture.damaged_bytes = 512;
  capture.damage = {"at offset 0x4f2: record claims 3.1 GB (400 B lost)",
                    "at offset 0x9a0: unknown block (112 B lost)"};
  capture.reported_drops = 41;
  capture.malformed_packets = 2;
  capture.not_decoded_packets = 17;
  capture.filtered_packets = 12'345;
  capture.settings_changes = {"eth0: promiscuous mode off before, on while capturing"};
  answer.facts.connections.front().tap_copies = 250;
  answer.unreadable = {
      {"other.etl", "cannot read other.etl: it is an ETL trace; convert it: etl2pcapng"}};
  answer.interrupted = true;
  return answer;
}

/// Forty connections, three of them with findings, and more of which only totals were kept.
inline Answer crowd() {
  Answer answer = large_sends();
  for (std::uint32_t id = 1; id < 40; ++id) {
    answer.facts.connections.push_back(upload(id, static_cast<std::uint16_t>(50'000 + id)));
    answer.facts.connections.back()[Direction::to_server].bytes = 1000 * id;
    answer.diagnosis.connection_verdicts.emplace_back("healthy");
  }
  answer.facts.connections_total = 12'040;
  Finding slow_reader;
  slow_reader.fault = "zero-window";
  slow_reader.severity = Severity::fault;
  slow_reader.confidence = 0.97;
  slow_reader.connections = {17};
  slow_reader.direction = Direction::to_server;
  slow_reader.seconds_lost = 2.5;
  slow_reader.claim = "the receiver closed its window 9 times, for 2.5 s in all";
  answer.diagnosis.findings.push_back(slow_reader);
  answer.diagnosis.connection_verdicts[17] = "zero-window";
  Finding noted;
  noted.fault = "path-latency";
  noted.severity = Severity::note;
  noted.confidence = 0.8;
  noted.claim = "round trips take 130 µs";
  answer.diagnosis.findings.push_back(noted);
  return answer;
}

/// What no detector should write, and somebody will: numbers that are none, bytes that are no text.
inline Answer hostile() {
  Answer answer = large_sends();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinite = std::numeric_limits<double>::infinity();
  answer.facts.captures.front().file = "evil\x1b[31m\xff\n.pcap";
  answer.facts.captures.front().comments = {"\xc3\x28"};
  Finding& finding = answer.diagnosis.findings.front();
  finding.confidence = infinite;
  finding.seconds_lost = nan;
  finding.after_fix.goodput_bps = infinite;
  finding.evidence.front().values = {{"ratio", nan}, {"count", 3}};
  DirectionFacts& data = answer.facts.connections.front()[Direction::to_server];
  data.goodput_bps = infinite;
  data.rtt.total.p95_s = nan;
  data.time[TimeOwner::unknown] = nan;
  return answer;
}

/// Nothing was in the file.
inline Answer empty() {
  Answer answer;
  CaptureFacts capture;
  capture.file = "-";
  capture.format = "pcapng, zstd";
  answer.facts.captures = {capture};
  answer.diagnosis.verdict = "unclear";
  answer.diagnosis.summary = "No cause can be named: the capture holds no packets.";
  return answer;
}

}  // namespace slowpath::report::test
