// SPDX-License-Identifier: Apache-2.0
// Keeps what a stage did, and builds the frames it is given.
#include "support/lab/stage_test_context.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace slowpath::test {
namespace {

using lab::Frame;
using lab::FramePool;
using lab::FramePtr;
using lab::VnetHeader;

constexpr std::size_t kIp = 14;  // behind Ethernet
constexpr std::uint8_t kTcp = 6, kUdp = 17;

struct Addresses {
  const char* source;
  const char* destination;
};
Addresses addresses_of(const Look& look) {
  Addresses found = look.ipv6 ? Addresses{"fd00::1", "fd00::2"} : Addresses{"10.0.0.1", "10.0.0.2"};
  if (look.backward) std::swap(found.source, found.destination);
  return found;
}

/// Ethernet and IP with what `look` says; `more` are further IP fields.
PacketBuilder ip_of(const Look& look, const IpField& more = nullptr) {
  const auto [source, destination] = addresses_of(look);
  const IpField all = [=](IpFields& ip) {
    ip.ttl = look.ttl;
    ip.tos = look.tos;
    ip.id = look.ip_id;
    ip.dont_fragment = look.dont_fragment;
    if (more) more(ip);
  };
  PacketBuilder builder;
  builder.ethernet();
  if (look.ipv6) {
    builder.ipv6(source, destination, all);
  } else {
    builder.ipv4(source, destination, all);
  }
  return builder;
}

TcpField tcp_of(const Look& look, bool timestamps_too) {
  return [=](TcpFields& tcp) {
    tcp.seq = look.seq;
    tcp.ack = look.ack;
    tcp.window = look.window;
    tcp.source_port = look.backward ? look.destination_port : look.source_port;
    tcp.destination_port = look.backward ? look.source_port : look.destination_port;
    if (look.partial_checksum) tcp.checksum = ChecksumKind::partial;
    if (timestamps_too) timestamps(100, 200)(tcp);
  };
}

PacketBuilder& add_payload(PacketBuilder& builder, std::size_t len, const Look& look) {
  return look.payload.empty() ? builder.payload(len) : builder.payload(look.payload);
}

std::uint16_t transport_offset(const Look& look) {
  return static_cast<std::uint16_t>(kIp + (look.ipv6 ? 40 : 20));
}

/// What a kernel says of a frame whose TCP checksum it left to the NIC.
void mark_partial(Frame& frame, const Look& look) {
  frame.vnet.flags = VnetHeader::kNeedsChecksum;
  frame.vnet.csum_start = transport_offset(look);
  frame.vnet.csum_offset = 16;
}

/// Plain sum of 16-bit words.
std::uint32_t add_words(Bytes bytes, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? std::uint32_t{load_u8(&bytes[i])} << 8U : load_u8(&bytes[i]);
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return sum;
}

}  // namespace

void StageTestContext::give(lab::Stage& stage, FramePtr frame) {
  frame->arrived = now_;
  stage.take(std::move(frame), *this);
}

void StageTestContext::advance(lab::Stage& stage, Duration by) {
  const Time until = now_ + by;
  for (;;) {
    const auto next = std::ranges::min_element(wakes);
    if (next == wakes.end() || *next > until) break;
    now_ = std::max(now_, *next);
    wakes.erase(next);
    stage.wake(*this);
  }
  now_ = until;
}

std::vector<FramePtr> StageTestContext::take_passed() {
  std::vector<FramePtr> frames;
  for (auto& one : passed) frames.push_back(std::move(one.frame));
  passed.clear();
  return frames;
}

void StageTestContext::pass(FramePtr frame) { passed.push_back({std::move(frame), now_, true}); }
void StageTestContext::pass_at(Time due, FramePtr frame) {
  passed.push_back({std::move(frame), due, false});
}
void StageTestContext::answer(FramePtr frame) { answered.push_back(std::move(frame)); }
void StageTestContext::drop(FramePtr frame, std::string_view why) {
  dropped.push_back({std::move(frame), std::string(why)});
}
void StageTestContext::touched(const Frame& frame, std::string_view what, std::string_view detail) {
  touches.push_back({frame.id, std::string(what), std::string(detail)});
}
void StageTestContext::wake_at(Time due) { wakes.push_back(due); }

lab::StagePair stages_of(std::string_view kind, std::map<std::string, std::string> keys) {
  const lab::StageKind* found = lab::find_stage_kind(kind);
  if (found != nullptr) {
    lab::Settings settings("stage 1 (" + std::string(kind) + ")", std::move(keys));
    auto made = found->make(settings);
    if (made) return std::move(*made);
    ADD_FAILURE() << made.error().message();
  }
  std::fprintf(stderr, "no stage can be made of kind %s\n", std::string(kind).c_str());
  std::abort();
}

std::unique_ptr<lab::Stage> stage_of(std::string_view kind,
                                     std::map<std::string, std::string> keys) {
  return std::move(stages_of(kind, std::move(keys)).forward);
}

std::string complaint_of(std::string_view kind, std::map<std::string, std::string> keys) {
  const lab::StageKind* found = lab::find_stage_kind(kind);
  if (found == nullptr) return "no such kind";
  lab::Settings settings("stage 1 (" + std::string(kind) + ")", std::move(keys));
  const auto made = found->make(settings);
  return made ? std::string{} : made.error().message();
}

FramePtr frame_of(FramePool& pool, const PacketBuilder& built) {
  const Buffer bytes = built.build().bytes;
  FramePtr frame = pool.make(static_cast<std::uint32_t>(bytes.size()));
  std::memcpy(frame->data, bytes.data(), bytes.size());
  return frame;
}

FramePtr tcp_frame(FramePool& pool, Flags flags, std::size_t payload_len, const Look& look) {
  PacketBuilder builder = ip_of(look);
  builder.tcp(flags, tcp_of(look, look.with_timestamps));
  FramePtr frame = frame_of(pool, add_payload(builder, payload_len, look));
  if (look.partial_checksum) mark_partial(*frame, look);
  return frame;
}

FramePtr syn_frame(FramePool& pool, bool with_ack, const Look& look) {
  PacketBuilder builder = ip_of(look);
  // Linux's order: MSS, SACK permitted, timestamps, NOP, window scale.
  builder.tcp(with_ack ? syn | ack : syn, tcp_of(look, false), mss(1460), sack_permitted(),
              option(8, Buffer{std::byte{0}, std::byte{0}, std::byte{0}, std::byte{100},
                               std::byte{0}, std::byte{0}, std::byte{0},
                               std::byte{static_cast<unsigned char>(with_ack ? 200 : 0)}}),
              nop(), window_scale(7));
  FramePtr frame = frame_of(pool, add_payload(builder, 0, look));
  if (look.partial_checksum) mark_partial(*frame, look);
  return frame;
}

FramePtr super_frame(FramePool& pool, std::size_t payload_len, std::uint16_t segment_payload,
                     const Look& look, Flags flags) {
  Look partial = look;
  partial.partial_checksum = true;
  FramePtr frame = tcp_frame(pool, flags, payload_len, partial);
  frame->vnet.gso_type = look.ipv6 ? VnetHeader::kGsoTcp6 : VnetHeader::kGsoTcp4;
  frame->vnet.gso_size = segment_payload;
  frame->vnet.hdr_len =
      static_cast<std::uint16_t>(transport_offset(look) + 20 + (look.with_timestamps ? 12 : 0));
  return frame;
}

FramePtr udp_frame(FramePool& pool, std::size_t payload_len, const Look& look) {
  PacketBuilder builder = ip_of(look);
  const auto source = look.backward ? look.destination_port : look.source_port;
  builder.udp(source, look.backward ? look.source_port : look.destination_port);
  return frame_of(pool, add_payload(builder, payload_len, look));
}

FramePtr echo_frame(FramePool& pool, std::size_t payload_len, const Look& look) {
  PacketBuilder builder = ip_of(look);
  const std::uint8_t request = look.ipv6 ? 128 : 8, reply = look.ipv6 ? 129 : 0;
  builder.icmp(look.backward ? reply : request, 0, 0x00010001);
  return frame_of(pool, add_payload(builder, payload_len, look));
}

FramePtr fragment_frame(FramePool& pool, std::uint32_t offset, bool more, std::size_t payload_len,
                        const Look& look) {
  PacketBuilder builder = ip_of(look, [=](IpFields& ip) {
    ip.dont_fragment = false;
    ip.protocol = kUdp;
    fragment(offset, more)(ip);
  });
  if (offset == 0) builder.udp(look.source_port, look.destination_port);
  return frame_of(pool, add_payload(builder, payload_len, look));
}

bool checksums_right(const Frame& frame) {
  const Bytes bytes = frame.bytes();
  const Bytes ip = bytes.subspan(kIp);
  const bool is_ipv6 = load_u8(ip.data()) >> 4U == 6;
  const std::size_t header = is_ipv6 ? 40 : (load_u8(ip.data()) & 0xfU) * std::size_t{4};
  if (!is_ipv6 && add_words(ip.first(header)) != 0xffff) return false;
  const std::size_t length = is_ipv6 ? load_be16(ip.data() + 4) + header : load_be16(ip.data() + 2);
  if (length != ip.size()) return false;
  const std::uint8_t protocol = load_u8(ip.data() + (is_ipv6 ? 6 : 9));
  const bool is_fragment = is_ipv6 ? protocol == 44 : (load_be16(ip.data() + 6) & 0x3fffU) != 0;
  if (is_fragment) return true;
  const Bytes segment = ip.subspan(header);
  const bool has_pseudo_header = is_ipv6 || protocol == kTcp || protocol == kUdp;
  std::uint32_t sum = 0;
  if (has_pseudo_header) {
    sum = add_words(ip.subspan(is_ipv6 ? 8 : 12, is_ipv6 ? 32 : 8), protocol);
    sum += static_cast<std::uint32_t>(segment.size());
    sum = (sum & 0xffff) + (sum >> 16);
  }
  if (frame.vnet.needs_checksum()) {
    const std::size_t field = std::size_t{frame.vnet.csum_start} + frame.vnet.csum_offset;
    return load_be16(bytes.data() + field) == sum;
  }
  return add_words(segment, sum) == 0xffff;
}

Buffer payload_of(const Frame& frame) {
  const lab::PacketView packet = lab::view(frame);
  const Bytes payload = frame.bytes().subspan(packet.payload_offset);
  return {payload.begin(), payload.end()};
}

}  // namespace slowpath::test
