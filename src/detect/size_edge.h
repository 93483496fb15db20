// SPDX-License-Identifier: Apache-2.0
// Packets above some size vanish, smaller ones pass: the edge that a black hole, a switch without
// jumbo frames and a tunnel without clamping have in common. Says where it is and whether it is
// one; whose it is, the detectors say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "detect/support.h"

namespace slowpath::detect {

struct SizeEdge {
  std::uint32_t passes = 0;  // largest IP length that arrived, of any packet
  std::uint32_t fails = 0;   // smallest that did not
  std::uint64_t sent = 0;    // transmissions above `passes`, one segment each
  Exemplars frames;
};

SizeEdge find_size_edge(const Transfer& transfer);

/// Something of this sender arrived, or the peer spoke, after the loss had begun.
bool peer_was_alive(const Transfer& transfer);

/// Why the lengths prove nothing, or nothing: too few losses, no DF, a router that says the MTU, a
/// tap behind the place of loss.
std::optional<std::string> why_no_edge(const Transfer& transfer, const SizeEdge& edge);

/// Seconds of loss recovery, or of the silence that never ended.
double seconds_of_edge(const Transfer& transfer, const SizeEdge& edge);

/// The length that fails, transmissions of it, and the largest that passed: as evidence.
void add_edge_evidence(const Transfer& transfer, const SizeEdge& edge, Finding& finding);

}  // namespace slowpath::detect
