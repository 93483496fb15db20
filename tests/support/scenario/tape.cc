// SPDX-License-Identifier: Apache-2.0
#include "support/scenario/tape.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace slowpath::test::scenario {
namespace {

constexpr double kHops = 8;  // routers between client and server
// Captures have dates: 2026-01-01 00:00:00 UTC.
constexpr Duration kEpoch = std::chrono::seconds(1'767'225'600);

void put_le(std::string& to, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) to += static_cast<char>(value >> (8 * i) & 0xff);
}

}  // namespace

bool Tape::record(Duration at, const Connection& connection, Segment segment) {
  payload_bytes_ += static_cast<std::uint64_t>(segment.data.second - segment.data.first);
  if (full_ || payload_bytes_ > limits_.payload_bytes) {
    full_ = true;
    return false;
  }
  const double way = segment.from == Side::client ? settings.place : 1 - settings.place;
  segment.ttl = static_cast<std::uint8_t>(segment.ttl -
                                          std::min<double>(segment.ttl, std::round(kHops * way)));
  const bool own_nic_follows = way == 0 && connection[segment.from].partial_checksums;
  if (own_nic_follows && segment.checksum == ChecksumKind::right)
    segment.checksum = ChecksumKind::partial;
  return record(at, build_frame(connection, segment));
}

bool Tape::record(Duration at, const BuiltFrame& frame) {
  if (full_ || records_.size() >= limits_.frames) {
    full_ = true;
    return false;
  }
  ++seen_;
  if (at < settings.from || at > settings.to) return true;
  bool missed = false;
  for (Predicate& misses : settings.misses) missed |= misses({seen_, frame.original_len - 14, at});
  if (missed) return true;
  const std::size_t kept = std::min<std::size_t>(frame.bytes.size(), settings.snap_len);
  records_.push_back({at, bytes_.size(), static_cast<std::uint32_t>(kept), frame.original_len});
  bytes_.insert(bytes_.end(), frame.bytes.begin(),
                frame.bytes.begin() + static_cast<std::ptrdiff_t>(kept));
  return true;
}

std::vector<wire::Frame> Tape::frames() const {
  std::vector<const Record*> order(records_.size());
  std::ranges::transform(records_, order.begin(), [](const Record& it) { return &it; });
  std::ranges::stable_sort(order, {}, [](const Record* it) { return it->at; });
  std::vector<wire::Frame> frames;
  for (const Record* record : order) {
    wire::Frame frame;
    frame.bytes = bytes_at(record->offset, record->captured_len);
    frame.original_len = record->original_len;
    frame.link_type = wire::LinkType::ethernet;
    frame.time = Time{kEpoch + record->at};
    frame.number = frames.size() + 1;
    frame.byte_offset = record->offset;
    frames.push_back(frame);
  }
  return frames;
}

Bytes Tape::bytes_at(std::uint64_t offset, std::size_t len) const {
  if (offset > bytes_.size() || len > bytes_.size() - offset) return {};
  return Bytes(bytes_).subspan(static_cast<std::size_t>(offset), len);
}

std::string Tape::pcap() const {
  std::string file;
  put_le(file, 0xa1b2'3c4d, 4);
  put_le(file, 2, 2);
  put_le(file, 4, 2);
  put_le(file, 0, 8);
  put_le(file, settings.snap_len, 4);
  put_le(file, 1, 4);
  for (const wire::Frame& frame : frames()) {
    const auto ns = static_cast<std::uint64_t>(to_ns(frame.time));
    put_le(file, ns / 1'000'000'000, 4);
    put_le(file, ns % 1'000'000'000, 4);
    put_le(file, frame.bytes.size(), 4);
    put_le(file, frame.original_len, 4);
    file.append(reinterpret_cast<const char*>(frame.bytes.data()), frame.bytes.size());
  }
  return file;
}

}  // namespace slowpath::test::scenario
