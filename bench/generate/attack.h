// SPDX-License-Identifier: Apache-2.0
// Captures that want to exhaust who reads them: floods, pieces that are never whole, stacks of
// headers, sequence numbers and clocks that jump. Amid each goes one sound transfer, which must
// not be lost: the same bytes over the whole length of the capture.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "generate/capture_file.h"

namespace slowpath::bench {

enum class AttackKind : std::uint8_t {
  syns,            // each from other ends
  one_packets,     // data of a connection that shows nothing else
  reuse,           // SYNs of one four-tuple, each with another sequence number
  collisions,      // IPv6 addresses by which a weak hash is the same for all
  fragments,       // first pieces of datagrams that stay incomplete
  tiny_fragments,  // of eight bytes, the last ones first
  overlaps,        // segments over each other, with other bytes
  options,         // as many as fit: unknown, malformed, SACK blocks of nothing
  tunnels,         // and VLAN tags and IP headers within each other, deeper than any network
  wraps,           // a sequence number that turns around with every second packet
  backwards,       // time steps back with every packet
  resets,          // from anywhere in the sequence space
  icmp,            // errors about connections that are, and that are not
};
constexpr std::size_t kAttackKinds = 13;
constexpr std::array<std::string_view, kAttackKinds> kAttackNames = {
    "syns",           "one-packets", "reuse",   "collisions", "fragments",
    "tiny-fragments", "overlaps",    "options", "tunnels",    "wraps",
    "backwards",      "resets",      "icmp"};
static_assert(static_cast<std::size_t>(AttackKind::icmp) + 1 == kAttackKinds);

/// By its name above.
std::optional<AttackKind> attack_kind_of(std::string_view name);

/// The sound transfer: a handshake, so many segments from the server, each acknowledged.
constexpr std::uint32_t kSoundSegments = 200, kSoundSegmentBytes = 1000;

/// Writes about `packets` frames, the same for the same arguments.
void write_attack(AttackKind kind, std::uint64_t packets, std::uint64_t seed, CaptureFile& file);

}  // namespace slowpath::bench
