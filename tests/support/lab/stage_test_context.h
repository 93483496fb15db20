// SPDX-License-Identifier: Apache-2.0
// What a stage is tested with: a context that keeps everything a stage did, under a clock that the
// test sets, and frames as a sending kernel would hand them to its NIC.
//
//   StageTestContext context;
//   auto stage = stage_of("loss", {{"probability", "100%"}});
//   context.give(*stage, tcp_frame(context.pool(), ack | psh, 1000, {.seq = 1}));
//   EXPECT_EQ(context.dropped.size(), 1U);
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lab/frame.h"
#include "lab/packet_view.h"
#include "lab/stage.h"
#include "support/packet_builder.h"

namespace slowpath::test {

class StageTestContext final : public lab::StageContext {
 public:
  explicit StageTestContext(std::uint64_t seed = 1) : random_(seed) {}

  struct Passed {
    lab::FramePtr frame;
    Time due;  // when passed at once: the clock's reading
    bool at_once = true;
  };
  struct Dropped {
    lab::FramePtr frame;
    std::string why;
  };
  struct Touched {
    std::uint64_t frame_id = 0;
    std::string what, detail;
  };

 private:
  lab::FramePool pool_;  // before the frames below, which go back to it

 public:
  // In the order in which the stage did it; a test may clear them.
  std::vector<Passed> passed;
  std::vector<lab::FramePtr> answered;
  std::vector<Dropped> dropped;
  std::vector<Touched> touches;
  std::vector<Time> wakes;  // asked for and not yet given

  /// Gives the stage one frame, as arrived now.
  void give(lab::Stage& stage, lab::FramePtr frame);
  /// Moves the clock on; wakes `stage` at each time it asked for on the way, with the clock there.
  void advance(lab::Stage& stage, Duration by);
  void set_now(Time now) { now_ = now; }
  /// The frames passed so far, oldest first, taken out.
  std::vector<lab::FramePtr> take_passed();

  [[nodiscard]] Time now() const override { return now_; }
  lab::Random& random() override { return random_; }
  lab::FramePool& pool() override { return pool_; }
  void pass(lab::FramePtr frame) override;
  void pass_at(Time due, lab::FramePtr frame) override;
  void answer(lab::FramePtr frame) override;
  void drop(lab::FramePtr frame, std::string_view why) override;
  void touched(const lab::Frame& frame, std::string_view what,
               std::string_view detail = {}) override;
  void wake_at(Time due) override;

 private:
  Time now_ = time_from_ns(1'700'000'000'000'000'000);
  lab::Random random_;
};

/// The stage of that kind made from its keys; fails the test and aborts if there is no such kind or
/// its keys are wrong.
lab::StagePair stages_of(std::string_view kind, std::map<std::string, std::string> keys = {});
std::unique_ptr<lab::Stage> stage_of(std::string_view kind,
                                     std::map<std::string, std::string> keys = {});
/// What making it complains of; empty if it does not.
std::string complaint_of(std::string_view kind, std::map<std::string, std::string> keys);

/// Built bytes (from Ethernet on) as a frame without virtio-net header: checksums as built.
lab::FramePtr frame_of(lab::FramePool& pool, const PacketBuilder& built);

/// How a frame of the helpers below looks: 10.0.0.1 -> 10.0.0.2 (fd00::1 -> fd00::2).
struct Look {
  std::uint32_t seq = 1000, ack = 2000;
  std::uint16_t source_port = 5001, destination_port = 40000;
  std::uint16_t window = 512;
  std::uint16_t ip_id = 7;
  std::uint8_t ttl = 64;
  std::uint8_t tos = 0;
  bool ipv6 = false;
  bool dont_fragment = true;
  bool with_timestamps = true;  // TSval 100, TSecr 200
  bool backward = false;        // from the other address, ports swapped
  /// As a kernel with checksum offload leaves it: pseudo-header sum and kNeedsChecksum. Off:
  /// complete.
  bool partial_checksum = false;
  Buffer payload = {};  // instead of the pattern
};

/// TCP with `payload_len` bytes of a pattern.
lab::FramePtr tcp_frame(lab::FramePool& pool, Flags flags, std::size_t payload_len,
                        const Look& look = {});
/// A SYN (or SYN-ACK) with MSS 1460, SACK permitted, timestamps, window scale 7, as Linux orders
/// them.
lab::FramePtr syn_frame(lab::FramePool& pool, bool with_ack = false, const Look& look = {});
/// A super-frame: partial checksum, gso_size `segment_payload`.
lab::FramePtr super_frame(lab::FramePool& pool, std::size_t payload_len,
                          std::uint16_t segment_payload = 1448, const Look& look = {},
                          Flags flags = ack);
lab::FramePtr udp_frame(lab::FramePool& pool, std::size_t payload_len, const Look& look = {});
/// An ICMP (ICMPv6) echo request or reply with `payload_len` bytes behind its header.
lab::FramePtr echo_frame(lab::FramePool& pool, std::size_t payload_len, const Look& look = {});
/// Fragment of a UDP datagram: `offset` in bytes, a multiple of 8.
lab::FramePtr fragment_frame(lab::FramePool& pool, std::uint32_t offset, bool more,
                             std::size_t payload_len, const Look& look = {});

/// Whether IP header and transport checksums of a frame are right; a partial one (with
/// kNeedsChecksum) must hold the pseudo-header's sum. By plain summing: shares no code with lab/.
bool checksums_right(const lab::Frame& frame);
/// Transport payload.
Buffer payload_of(const lab::Frame& frame);

}  // namespace slowpath::test
