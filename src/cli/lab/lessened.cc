// SPDX-License-Identifier: Apache-2.0
#include "cli/lab/lessened.h"

#include <algorithm>
#include <array>
#include <memory>

#include "capture/pcapng_writer.h"
#include "capture/source.h"
#include "lab/random.h"
#include "wire/packet.h"

namespace slowpath::cli {
namespace {

using Frames = std::vector<wire::Frame>;

/// What a third of the capture's time is, from its first frame on.
Time after_thirds(const Frames& frames, int thirds) {
  const Duration whole = frames.back().time - frames.front().time;
  return frames.front().time + whole * thirds / 3;
}

void begin_late(Frames& frames, std::uint64_t) {
  const Time from = after_thirds(frames, 1);
  std::erase_if(frames, [&](const wire::Frame& frame) { return frame.time < from; });
}

void end_early(Frames& frames, std::uint64_t) {
  const Time to = after_thirds(frames, 1);
  std::erase_if(frames, [&](const wire::Frame& frame) { return frame.time > to; });
}

/// Calls take(frame, whether the end sent it that sent the first TCP packet, which opened the
/// connection) for each frame of that end or the other one. What neither sent is left as it is.
template <typename Take>
void by_sender(Frames& frames, const Take& take) {
  wire::Packet packet;
  IpAddress opener, other;
  for (wire::Frame& frame : frames) {
    wire::decode(frame, packet);
    if (opener == IpAddress{} && packet.kind == wire::PacketKind::tcp) {
      opener = packet.source;
      other = packet.destination;
    }
    if (opener == IpAddress{}) continue;
    if (packet.source == opener || packet.source == other) take(frame, packet.source == opener);
  }
}

// A frame without bytes is left out.
void keep_sender(Frames& frames, bool opener) {
  by_sender(frames, [&](wire::Frame& frame, bool is_opener) {
    if (is_opener != opener) frame.bytes = {};
  });
  std::erase_if(frames, [](const wire::Frame& frame) { return frame.bytes.empty(); });
}

void keep_opener(Frames& frames, std::uint64_t) { keep_sender(frames, true); }
void keep_other(Frames& frames, std::uint64_t) { keep_sender(frames, false); }

// What tcpdump took for many years where nothing else was asked for: not all of the timestamps.
void cut_short(Frames& frames, std::uint64_t) {
  constexpr std::size_t kSnapLen = 68;
  for (wire::Frame& frame : frames) {
    frame.bytes = frame.bytes.first(std::min(frame.bytes.size(), kSnapLen));
  }
}

void lose_some(Frames& frames, std::uint64_t seed) {
  constexpr double kShare = 0.02;
  lab::Random random = lab::Random::for_part(seed, "capture", 0);
  std::erase_if(frames, [&](const wire::Frame&) { return random.chance(kShare); });
}

// Times of a Windows of some years ago.
void coarsen_clock(Frames& frames, std::uint64_t) {
  constexpr Duration kTick = std::chrono::microseconds(15'625);
  for (wire::Frame& frame : frames) {
    frame.time -= frame.time.time_since_epoch() % kTick;
  }
}

void sort_by_time(Frames& frames) { std::ranges::stable_sort(frames, {}, &wire::Frame::time); }

// Two taps, one for each direction, whose clocks differ.
void skew_ways(Frames& frames, std::uint64_t) {
  constexpr Duration kSkew = std::chrono::milliseconds(1);
  by_sender(frames, [&](wire::Frame& frame, bool is_opener) {
    if (is_opener) frame.time += kSkew;
  });
  sort_by_time(frames);
}

// A mirror port that sends what comes in and what goes out.
void see_twice(Frames& frames, std::uint64_t) {
  constexpr Duration kLater = std::chrono::microseconds(3);
  const std::size_t count = frames.size();
  for (std::size_t i = 0; i < count; ++i) {
    wire::Frame copy = frames[i];
    copy.time += kLater;
    frames.push_back(copy);
  }
  sort_by_time(frames);
}

constexpr std::array kLessenings{
    Lessening{"begun-late", begin_late},      Lessening{"ended-early", end_early},
    Lessening{"opener-only", keep_opener},    Lessening{"other-only", keep_other},
    Lessening{"cut-short", cut_short},        Lessening{"frames-missing", lose_some},
    Lessening{"coarse-clock", coarsen_clock}, Lessening{"skewed-ways", skew_ways},
    Lessening{"seen-twice", see_twice},
};

}  // namespace

std::span<const Lessening> lessenings() { return kLessenings; }

Result<void> write_lessened(const std::string& from, const std::string& to, const Lessening& how,
                            std::uint64_t seed) {
  // Mapped: the frames' bytes are there while the source is.
  Result<std::unique_ptr<capture::Source>> source = capture::open_capture(from, 0);
  if (!source) return std::unexpected(source.error());
  Frames frames;
  for (wire::Frame frame; (*source)->next(frame);) frames.push_back(frame);
  if (!frames.empty()) how.change(frames, seed);
  Result<std::unique_ptr<capture::PcapngWriter>> writer =
      capture::PcapngWriter::create(to, "slowpath lab");
  if (!writer) return std::unexpected(writer.error());
  for (const capture::InterfaceInfo& interface : (*source)->info().interfaces) {
    (*writer)->add_interface(interface.name, interface.link_type, 0);
  }
  for (const wire::Frame& frame : frames) {
    (*writer)->packet(frame.interface, frame.time, frame.bytes, frame.original_len,
                      frame.direction);
  }
  return (*writer)->close();
}

}  // namespace slowpath::cli
