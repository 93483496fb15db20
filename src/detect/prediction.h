// SPDX-License-Identifier: Apache-2.0
// What a transfer would make if one of its causes were gone: the least of what would still limit
// it, named in words with its figures. Pure. Says "about" where what was seen leaves no more than a
// quarter to either side, "at least" where it shows no more than a lower bound, and nothing where
// it does not show that either. The limits are in ceilings.h, which repair a fault asks for in
// repairs.cc.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "detect/support.h"
#include "facts/finding.h"

namespace slowpath::detect {

/// What repairing a fault does to the time of a transfer.
enum class Repair : std::uint8_t {
  unknown,   // nothing that was seen tells the rate afterwards
  waits,     // pauses go; between them the transfer runs as it did
  acks,      // likewise: pauses for ACKs that were delayed
  turns,     // likewise, and the round trips of questions and answers with them
  loss,      // nothing is lost any more, and nothing keeps the congestion window small
  timeouts,  // likewise: the losses that end in silence are most of those that it has
  sender,    // the sender keeps as much in flight as it may
  window,    // the receive window opens
  reader,    // likewise, because its program reads as fast as data comes
  nothing,   // the rate stays: the repair saves data, delay or other connections
  setup,     // the connection is set up at once, or is not cut off: while it lives its rate stays
  verify,    // what is taken damaged is lost instead
  limit,     // what holds or drops all that exceeds a rate, or holds its ACKs
  share,     // what others take of the path
};

/// For ids of the catalogue; those that are not in the table, and others, are `unknown`.
Repair repair_of(std::string_view fault);

/// Several repairs done together.
struct Repairs {
  bool waits = false, turns = false, loss = false, sender = false, window = false;
  bool verify = false, limit = false, share = false;
  bool unknown = false;   // one of them: what all bring together cannot be told
  double seconds = 0;     // that their causes cost the transfer
  double acks_s = 0;      // of these, for ACKs that were delayed
  double passes_bps = 0;  // that a limit is known to let pass; 0: not known

  void add(Repair repair, double seconds_lost);
};

/// What tells that a path carries a rate that the transfer never held.
enum class Witness : std::uint8_t {
  bursts,     // flights of a few packets too: enough to ask what would bind next
  stretches,  // of a transfer with losses, where a host may take such flights in one go, only a
              // stretch that came near the rate
};

/// Goodput of the transfer with all of these done.
AfterFix predict(const Transfer& transfer, const Repairs& repairs, Witness witness);

}  // namespace slowpath::detect
