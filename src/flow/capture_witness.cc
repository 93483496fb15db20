// SPDX-License-Identifier: Apache-2.0
#include "flow/capture_witness.h"

#include <algorithm>

#include "flow/normal_notes.h"
#include "flow/screen/capture_counts.h"

namespace slowpath::flow {
namespace {

// More than half of all IP headers with a wrong sum: no network does that, an anonymiser does.
constexpr double kRewrittenShare = 0.5;
constexpr std::uint64_t kRewrittenMin = 4;

}  // namespace

void CaptureWitness::add(const wire::Frame& frame, const wire::Packet& packet) {
  if (frame.input >= inputs_.size()) inputs_.resize(frame.input + std::size_t{1});
  Input& input = inputs_[frame.input];
  CaptureFacts& facts = input.facts;
  ++facts.packets;
  facts.bytes += frame.original_len;
  count_kind(facts, packet);
  const auto captured = static_cast<std::uint32_t>(frame.bytes.size());
  if (captured < frame.original_len) {
    ++facts.snapped_packets;
    facts.snap_len = std::max(facts.snap_len, captured);
  }
  if (packet.kind == wire::PacketKind::tcp) {
    ++input.ip_headers;
    input.ip_headers_bad += packet.ip_header_checksum_bad;
    input.beyond_frame += packet.ip_len_beyond_frame;
    if (packet.ip_len_zero) {
      ++input.zero_len;
      note(input.zero_len_frames, FrameRef(frame.input, frame.number));
    }
  }
  note_time(input, frame);
}

void CaptureWitness::count_kind(CaptureFacts& facts, const wire::Packet& packet) {
  using wire::PacketKind;
  switch (packet.kind) {
    case PacketKind::not_ip:
      ++facts.not_decoded_packets;
      break;
    case PacketKind::truncated:
      ++facts.truncated_packets;
      break;
    case PacketKind::malformed:
      ++facts.malformed_packets;
      break;
    case PacketKind::fragment:
      ++facts.fragment_packets;
      break;
    case PacketKind::tcp:
      ++facts.tcp_packets;
      break;
    case PacketKind::udp:
      ++facts.udp_packets;
      facts.quic_packets += packet.looks_like_quic;
      break;
    case PacketKind::icmp:
      ++facts.icmp_packets;
      break;
    case PacketKind::other_transport:
      ++facts.other_packets;
      break;
  }
  if (packet.is_fragment && packet.kind != PacketKind::fragment) ++facts.fragment_packets;
}

void CaptureWitness::note_time(Input& input, const wire::Frame& frame) {
  CaptureFacts& facts = input.facts;
  if (!frame.has_time) {
    ++facts.frames_without_time;
    return;
  }
  if (!input.any) {
    input.any = true;
    facts.first = facts.last = frame.time;
  }
  std::optional<Time>& newest = input.newest.of(frame.interface);
  if (newest && frame.time < *newest) {
    ++facts.time_steps_back;
    facts.largest_step_back_s =
        std::max(facts.largest_step_back_s, to_seconds(*newest - frame.time));
    note(input.back_frames, FrameRef(frame.input, frame.number));
  }
  facts.first = std::min(facts.first, frame.time);
  facts.last = std::max(facts.last, frame.time);
  newest = frame.time;
}

void CaptureWitness::set(std::uint16_t index, const CaptureCourse& course) {
  using wire::PacketKind;
  if (index >= inputs_.size()) inputs_.resize(index + std::size_t{1});
  Input& input = inputs_[index];
  const CaptureCounts& counts = course.counts;
  CaptureFacts& facts = input.facts;
  facts.packets = counts.packets;
  facts.bytes = counts.bytes;
  facts.tcp_packets = counts.count(PacketKind::tcp);
  facts.udp_packets = counts.count(PacketKind::udp);
  facts.quic_packets = counts.quic;
  facts.icmp_packets = counts.count(PacketKind::icmp);
  facts.other_packets = counts.count(PacketKind::other_transport);
  facts.not_decoded_packets = counts.count(PacketKind::not_ip);
  facts.malformed_packets = counts.count(PacketKind::malformed);
  facts.truncated_packets = counts.count(PacketKind::truncated);
  facts.fragment_packets = counts.count(PacketKind::fragment) + counts.fragments;
  facts.snapped_packets = counts.snapped;
  facts.snap_len = counts.snap_len;
  facts.frames_without_time = course.frames_without_time;
  facts.time_steps_back = course.steps_back;
  facts.largest_step_back_s = course.largest_step_back_s;
  facts.first = course.first;
  facts.last = course.last;
  input.any = course.any;
  input.newest = course.others;
  if (course.any) input.newest.of(course.interface) = course.newest;
  input.ip_headers = facts.tcp_packets;
  input.ip_headers_bad = counts.ip_headers_bad;
  input.beyond_frame = counts.beyond_frame;
  input.zero_len = counts.zero_len;
  input.zero_len_frames = counts.zero_len_frames;
  input.back_frames = course.back_frames;
}

std::vector<CaptureFacts> CaptureWitness::finish(const Case& facts) {
  std::vector<CaptureFacts> out;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    Input& input = inputs_[i];
    CaptureFacts& capture = input.facts;
    const auto share = [&](std::uint64_t n) {
      return input.ip_headers >= kRewrittenMin
                 ? static_cast<double>(n) / static_cast<double>(input.ip_headers)
                 : 0.0;
    };
    capture.addresses_rewritten = share(input.ip_headers_bad) > kRewrittenShare;
    capture.lengths_rewritten = share(input.beyond_frame) > 0.05;
    std::uint64_t most = 0;
    for (const ConnectionFacts& connection : facts.connections) {
      if (connection.first_frame.input() != i) continue;
      capture.tap_copies += connection.tap_copies;
      capture.clock_jumps = std::max(capture.clock_jumps, connection.clock_jumps);
      capture.clock_lag_s = std::max(capture.clock_lag_s, connection.clock_lag_s);
      capture.clock_skew_s = std::max(capture.clock_skew_s, connection.clock_skew_s);
      capture.clock_tick_s = std::max(capture.clock_tick_s, connection.clock_tick_s);
      for (const DirectionFacts& direction : connection.directions) {
        if (direction.bytes < most) continue;
        most = direction.bytes;
        if (direction.vantage != Vantage::unknown) capture.vantage = direction.vantage;
      }
    }
    add_normal_notes(capture, facts, static_cast<std::uint16_t>(i),
                     {input.zero_len_frames, input.back_frames});
    out.push_back(std::move(capture));
  }
  return out;
}

}  // namespace slowpath::flow
