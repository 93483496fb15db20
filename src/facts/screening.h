// SPDX-License-Identifier: Apache-2.0
// What a large capture's first pass saw of every connection, and which of them were then analysed.
// Without a first pass, as for small captures and pipes, `used` is false and all of them were.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace slowpath {

/// What a light record shows that may be worth judging. The table in src/flow/screen/README.md says
/// which faults each stands for.
enum class LightSign : std::uint8_t {
  retransmission,  // data sent again, gaps, SACK, duplicate ACKs
  silence,         // nothing passed while data was outstanding
  zero_window,
  full_window,  // the receive window was used up
  handshake,    // repeated, unanswered or refused
  reset,        // with data outstanding, or out of nowhere
  icmp,         // an error quotes a packet of it
  fragments,
  checksum,
  options,   // a SYN lacks what nearly all offer; timestamps that vanish; authentication
  pause,     // an end kept the other waiting
  exchange,  // many turns of question and answer
  rate,      // a bulk transfer: what held its rate only the full analysis says
  reuse,     // of a four-tuple
  one_way,   // only one direction was captured
  marks,     // CE
  copies,    // the same packet twice
};
inline constexpr std::size_t kLightSignCount = 17;

/// The word of the JSON contract.
constexpr std::string_view to_string(LightSign sign) {
  constexpr std::array<std::string_view, kLightSignCount> kWords = {
      "retransmission", "silence",   "zero-window", "full-window", "handshake", "reset",
      "icmp",           "fragments", "checksum",    "options",     "pause",     "exchange",
      "rate",           "reuse",     "one-way",     "marks",       "copies"};
  return kWords[static_cast<std::size_t>(sign)];
}

struct SignFacts {
  std::uint64_t connections = 0;  // that carry the sign
  std::uint64_t analysed = 0;     // of these
  std::uint64_t grave = 0;        // of all: cost enough that it could be a fault
  std::uint64_t grave_left = 0;   // of these, not analysed
};

struct ScreeningFacts {
  bool used = false;
  std::uint64_t connections = 0, connections_analysed = 0;
  std::uint64_t packets = 0, packets_analysed = 0;  // TCP
  std::uint64_t bytes = 0;                          // of payload, distinct
  std::uint64_t let_go = 0;      // connections of which, for want of memory, only totals were kept
  std::uint64_t grave_left = 0;  // connections with a sign that could be a fault, not analysed
  std::array<SignFacts, kLightSignCount> signs{};

  SignFacts& operator[](LightSign sign) { return signs[static_cast<std::size_t>(sign)]; }
  const SignFacts& operator[](LightSign sign) const {
    return signs[static_cast<std::size_t>(sign)];
  }
};

}  // namespace slowpath
