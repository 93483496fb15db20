// SPDX-License-Identifier: Apache-2.0
#include "capture/file_source.h"

#include <fmt/format.h>

namespace slowpath::capture {
namespace {

constexpr std::size_t kMaxDamageKept = 16;
constexpr std::size_t kMaxCommentsKept = 64;

// Linux cooked packet type (linktypes LINUX_SLL): 4 is sent by us; 0 to 3 were received.
constexpr std::uint16_t kSllOutgoing = 4;

}  // namespace

void FileSource::count_damage(std::uint64_t offset, std::uint64_t bytes_lost, std::string what) {
  ++info_.damage_count;
  info_.damaged_bytes += bytes_lost;
  if (info_.damage.size() < kMaxDamageKept) {
    info_.damage.push_back({offset, bytes_lost, std::move(what)});
  }
}

void FileSource::count_cut(std::uint64_t offset, std::uint64_t bytes_left,
                           std::uint64_t record_len) {
  ended_ = true;
  info_.cut_short = true;
  std::string what =
      fmt::format("cut short: {} of the last record's {} bytes are there", bytes_left, record_len);
  if (!window_->problem().empty()) what += "; " + window_->problem();
  count_damage(offset, bytes_left, std::move(what));
}

void FileSource::note_end() {
  if (ended_) return;
  ended_ = true;
  if (window_->problem().empty()) return;
  info_.cut_short = true;
  count_damage(window_->offset(), 0, window_->problem());
}

void FileSource::keep_comment(std::string text) {
  if (info_.comments.size() < kMaxCommentsKept) info_.comments.push_back(std::move(text));
}

wire::FrameDirection direction_in_header(wire::LinkType link_type, Bytes frame) {
  using wire::FrameDirection;
  using wire::LinkType;
  if (link_type == LinkType::linux_sll && frame.size() >= 2) {
    const std::uint16_t type = load_be16(frame.data());
    return type == kSllOutgoing  ? FrameDirection::outbound
           : type < kSllOutgoing ? FrameDirection::inbound
                                 : FrameDirection::unknown;
  }
  if (link_type == LinkType::linux_sll2 && frame.size() >= 11) {
    const std::uint8_t type = load_u8(frame.data() + 10);
    return type == kSllOutgoing  ? FrameDirection::outbound
           : type < kSllOutgoing ? FrameDirection::inbound
                                 : FrameDirection::unknown;
  }
  if (link_type == LinkType::ppp_with_direction && !frame.empty()) {
    return load_u8(frame.data()) == 0 ? FrameDirection::inbound : FrameDirection::outbound;
  }
  return FrameDirection::unknown;
}

}  // namespace slowpath::capture
