// SPDX-License-Identifier: Apache-2.0
// Hand-built cases: see case_builder.h.
#include "support/case_builder.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace slowpath::testing {
namespace {

// 2026-11-20 10:00:00 UTC; any instant that is not the epoch would do.
constexpr std::int64_t kStartNs = 1'795'168'800'000'000'000;

Time at(double seconds) { return time_from_ns(kStartNs) + from_seconds(seconds); }

IpAddress ipv4(std::uint8_t last) {
  IpAddress address;
  address.bytes = {10, 0, 0, last};
  address.version = 4;
  return address;
}

SynFacts syn(std::uint64_t frame, double seconds) {
  SynFacts syn;
  syn.frame = FrameRef{0, frame};
  syn.time = at(seconds);
  syn.window = 64240;
  syn.ttl = 64;
  syn.options.has_mss = syn.options.has_window_scale = true;
  syn.options.sack_permitted = syn.options.has_timestamps = true;
  syn.options.mss = 1460;
  syn.options.window_scale = 7;
  return syn;
}

HandshakeFacts handshake(double rtt_s) {
  HandshakeFacts facts;
  facts.syn = syn(1, 0);
  facts.syn_ack = syn(2, rtt_s);
  facts.syn_count = facts.syn_ack_count = 1;
  note(facts.syn_frames, FrameRef{0, 1});
  note(facts.syn_ack_frames, FrameRef{0, 2});
  facts.syn_times = {at(0)};
  facts.completed = facts.legs_known = true;
  facts.duration_s = facts.server_leg_s = rtt_s;
  return facts;
}

RttFacts rtt_of(double seconds, std::uint64_t samples) {
  return {samples, seconds, seconds * 1.05, seconds * 1.2, seconds * 1.5};
}

void fill_window(WindowFacts& window) {
  window.knowledge = ScaleKnowledge::negotiated;
  window.shift = 7;
  window.raw_min = 500;
  window.raw_max = 24000;
  window.initial_bytes = 64 * 1024;
  window.max_bytes = window.median_bytes = 3'072'000;
}

void fill_request(DirectionFacts& request, const Download& download) {
  request.vantage = download.vantage == Vantage::sender ? Vantage::receiver : Vantage::sender;
  request.seen = request.acks_seen = true;
  request.packets = 200;
  request.data_packets = 1;
  request.bytes = request.bytes_seen = request.acked_bytes = 120;
  request.first_data = request.last_data = at(download.rtt_s * 1.1);
  request.last_ack = at(download.rtt_s * 2.1);
  request.transfer_s = download.rtt_s;
  request.segment_size = 1448;
  request.largest_payload = 120;
  request.largest_ip_len = 172;
  request.dont_fragment = true;
  fill_window(request.window);
}

void fill_download(DirectionFacts& data, const Download& download) {
  data.vantage = download.vantage;
  data.seen = data.acks_seen = true;
  data.bytes = data.bytes_seen = data.acked_bytes = download.bytes;
  data.data_packets = data.packets = std::max<std::uint64_t>(1, download.bytes / 1448);
  data.first_data = at(download.rtt_s * 2.1);
  data.last_data = at(download.seconds - download.rtt_s);
  data.last_ack = at(download.seconds);
  data.transfer_s = download.seconds - download.rtt_s * 2.1;
  data.goodput_bps = static_cast<double>(download.bytes) * 8 / data.transfer_s;
  data.segment_size = 1448;
  data.largest_payload = 1448;
  data.largest_ip_len = data.largest_delivered_ip_len = 1500;
  data.largest_delivered_frame = FrameRef{0, 9};
  data.dont_fragment = true;
  data.sizes = {{1500, 1500, data.data_packets, data.data_packets, 0, 0, 0, 0, frames(3, 9), {}}};
  data.rtt.total = data.rtt.receiver_leg = rtt_of(download.rtt_s, 1000);
  data.rtt.handshake_s = download.rtt_s;
  data.rtt.idle_s = download.rtt_s;
  data.rtt.loaded_s = download.rtt_s * 1.1;
  data.flight_rounds = static_cast<std::uint64_t>(download.seconds / download.rtt_s);
  data.flight_plateau_bytes = data.flight_max_bytes = static_cast<std::uint64_t>(
      static_cast<double>(download.bytes) / download.seconds * download.rtt_s);
  fill_window(data.window);
}

void run_into(std::string_view id, const Case& facts, detect::Findings& findings) {
  for (const detect::Detector* detector : detect::all_detectors()) {
    if (detector->id == id) return detector->inspect(facts, findings);
  }
  ADD_FAILURE() << "no detector is called " << id;
}

}  // namespace

ConnectionFacts& add_connection(Case& facts, const Download& download) {
  ConnectionFacts connection;
  connection.id = static_cast<std::uint32_t>(facts.connections.size());
  connection.client = {ipv4(1), static_cast<std::uint16_t>(40000 + connection.id)};
  connection.server = {ipv4(2), 80};
  connection.client_known = true;
  connection.first = at(0);
  connection.last = at(download.seconds);
  connection.first_frame = FrameRef{0, 1};
  connection.last_frame = FrameRef{0, 9000};
  connection.handshake = handshake(download.rtt_s);
  connection.close = CloseKind::finished;
  connection.timestamps_in_use = connection.sack_in_use = true;
  connection.ttl_min = connection.ttl_max = {64, 64};
  fill_request(connection[Direction::to_server], download);
  fill_download(connection[Direction::to_client], download);
  for (DirectionFacts& direction : connection.directions) {
    direction.time[TimeOwner::handshake] = download.rtt_s;
    direction.time[TimeOwner::congestion_window] = download.seconds - download.rtt_s;
  }
  facts.connections.push_back(connection);
  facts.connections_total = facts.connections.size();
  CaptureFacts& capture = facts.captures.front();
  capture.tcp_packets += 2 * connection[Direction::to_client].packets;
  capture.packets = capture.tcp_packets;
  capture.bytes += download.bytes;
  capture.last = std::max(capture.last, connection.last);
  return facts.connections.back();
}

Case healthy_case(const Download& download) {
  Case facts;
  CaptureFacts capture;
  capture.file = "built.pcap";
  capture.format = "pcap";
  capture.link_type = "Ethernet";
  capture.first = capture.last = at(0);
  capture.vantage = download.vantage;
  facts.captures.push_back(capture);
  add_connection(facts, download);
  return facts;
}

DirectionFacts& download_of(Case& facts, std::size_t index) {
  return facts.connections.at(index)[Direction::to_client];
}

void charge(DirectionFacts& direction, TimeOwner owner, double seconds) {
  direction.time[owner] += seconds;
  direction.time[TimeOwner::congestion_window] -= seconds;
}

Exemplars frames(std::uint64_t count, std::uint64_t first) {
  Exemplars exemplars;
  for (std::uint64_t i = 0; i < count; ++i) note(exemplars, FrameRef{0, first + i});
  return exemplars;
}

std::vector<Finding> run(std::string_view id, const Case& facts) {
  detect::Findings findings;
  run_into(id, facts, findings);
  return findings.list;
}

std::vector<detect::Silence> silences_of(std::string_view id, const Case& facts) {
  std::vector<detect::Silence> silences;
  detect::Findings findings{{}, &silences};
  run_into(id, facts, findings);
  return silences;
}

}  // namespace slowpath::testing
