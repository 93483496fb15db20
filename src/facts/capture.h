// SPDX-License-Identifier: Apache-2.0
// What is known about one input: the witness, examined before what it says is believed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "facts/direction.h"
#include "facts/frame_ref.h"

namespace slowpath {

/// Something that looks like a fault and is normal; `id` is an entry of the non-fault catalogue.
struct NormalNote {
  std::string id;            // "nf-tso-superframe"
  std::uint64_t count = 0;
  std::string text;          // one sentence with its figures
  std::vector<FrameRef> frames;
};

struct CaptureFacts {
  std::string file;          // as given
  std::string name;          // of --at NAME=FILE, else empty
  std::string format;        // "pcapng", with compression: "pcap, zstd"
  std::string link_type;     // "Ethernet", of the first interface; "several" if they differ
  std::uint64_t packets = 0, bytes = 0;      // frames read; their lengths on the wire
  std::uint64_t tcp_packets = 0, udp_packets = 0, quic_packets = 0, icmp_packets = 0, other_packets = 0;
  std::uint64_t not_decoded_packets = 0;     // link type or network layer that is not read here
  std::uint64_t malformed_packets = 0, truncated_packets = 0, fragment_packets = 0;
  std::uint64_t filtered_packets = 0;        // left out by -f, --from, --to, --connection
  std::uint64_t frames_without_time = 0;
  Time first{}, last{};
  Vantage vantage = Vantage::unknown;        // of the connection that carried most bytes
  std::uint64_t damaged_bytes = 0, damage_count = 0;
  std::vector<std::string> damage;           // sentences: offset, bytes lost, what
  bool cut_short = false;
  std::uint64_t reported_drops = 0;          // by the capturing program
  std::uint32_t snap_len = 0;                // 0 = none seen
  std::uint64_t snapped_packets = 0;
  std::uint64_t time_steps_back = 0;         // records older than the one before, by any amount
  double largest_step_back_s = 0;
  std::uint64_t clock_jumps = 0;             // all flows jumped together
  double clock_lag_s = 0;                    // the largest of its connections' (ConnectionFacts::clock_lag_s)
  double clock_skew_s = 0;                   // likewise (ConnectionFacts::clock_skew_s)
  double clock_tick_s = 0;                   // the coarsest of its connections' (ConnectionFacts::clock_tick_s)
  std::uint64_t tap_copies = 0;
  bool addresses_rewritten = false;          // most IP header checksums are wrong: edited or anonymised
  bool lengths_rewritten = false;            // stored lengths contradict IP lengths: cut without saying so
  std::vector<NormalNote> notes;
  std::vector<std::string> comments;
  std::vector<std::string> settings_changes; // of a live interface: before against during the capture
};

}  // namespace slowpath
