// SPDX-License-Identifier: Apache-2.0
// Cases for detectors' tests, built by hand: a healthy download to start from, and the changes that
// tests make to it. Facts that the engine derives from one another (time account, totals) are kept
// consistent here, so that a test changes one thing.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "detect/detector.h"
#include "facts/case.h"
#include "facts/finding.h"

namespace slowpath::testing {

/// What a built transfer looks like. Bytes travel to the client.
struct Download {
  std::uint64_t bytes = 10'000'000;
  double seconds = 2.0;  // handshake included
  double rtt_s = 0.020;
  Vantage vantage = Vantage::sender;
};

/// One connection, one capture, nothing wrong: a handshake with all options, window scale 7, MSS
/// 1460, segments of 1448 bytes, and all its time with `congestion_window`.
Case healthy_case(const Download& download = {});

/// Appends a further healthy connection with the next id and gives it back.
ConnectionFacts& add_connection(Case& facts, const Download& download = {});

/// The direction that carries the data of connection `index`.
DirectionFacts& download_of(Case& facts, std::size_t index = 0);

/// Moves seconds of the data's time account from `congestion_window` to another owner.
void charge(DirectionFacts& direction, TimeOwner owner, double seconds);

/// `count` exemplars, the first frames numbered from `first`.
Exemplars frames(std::uint64_t count, std::uint64_t first = 100);

/// Runs the detector with this id. An unknown id fails the test.
std::vector<Finding> run(std::string_view id, const Case& facts);
/// Runs the detector with this id and gives what it passed over.
std::vector<detect::Silence> silences_of(std::string_view id, const Case& facts);

}  // namespace slowpath::testing
