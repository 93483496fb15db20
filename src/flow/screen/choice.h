// SPDX-License-Identifier: Apache-2.0
// Which connections of a screened capture the full analysis looks at: all whose signs could be a
// fault while there are few, else the worst of every kind between every two hosts, within a budget;
// and always the largest. What no grave sign speaks for is a sample.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "facts/screening.h"
#include "flow/screen/chosen_ends.h"
#include "flow/screen/screener.h"
#include "wire/ends_key.h"

namespace slowpath::flow {

struct ChoiceBudget {
  /// Packets and connections for the full analysis. The worst connection is analysed even where it
  /// alone has more packets.
  std::uint64_t packets = 300'000;
  /// Of these, for what is no fault by its signs: a hundredth of what was screened, no less than
  /// this. The largest of all is analysed even where it alone has more.
  std::uint64_t least_sample_packets = 100'000;
  std::size_t connections = 2000;
  std::size_t largest = 10;  // connections that carried most, whatever they show
};

/// One connection asked for, by its number or by its ends.
struct Wanted {
  std::optional<std::uint32_t> id;
  std::optional<wire::EndsKey> ends;
};

struct Choice {
  ChosenEnds ends;
  ScreeningFacts facts;
  std::vector<FrameRef> first_frames;  // of the chosen connections, ascending
  std::vector<std::uint32_t> ids;      // their numbers among all, likewise
  std::vector<std::uint64_t> hashes;   // of their four-tuples, likewise
};

/// Marks the chosen records as selected. The same for any number of threads.
Choice choose(Screener& screener, const ChoiceBudget& budget);
/// Only what was asked for; nothing where there is no such connection.
Choice choose_wanted(Screener& screener, const Wanted& wanted);

}  // namespace slowpath::flow
