// SPDX-License-Identifier: Apache-2.0
// How one clock goes against another, from packets that both recorded. A packet to the server shows
// the difference of the clocks plus a delay, one to the client that difference less a delay: so the
// difference, a straight line over time, lies below all of the former and above all of the latter
// (Duda, Harrus, Haddad, Bernard: Estimating global time in distributed systems, ICDCS 1987; convex
// hulls for one way as in Zhang, Liu, Xia: Clock synchronization algorithms for network
// measurements, INFOCOM 2002). All lines that fit are the error; the one in the middle is the
// answer.
#pragma once

#include <vector>

#include "base/time.h"
#include "facts/comparison.h"

namespace slowpath::flow::comparison {

/// A packet recorded at both points: when, by the clock of the first, and how much later the second
/// says it was.
struct ClockSample {
  Time at{};
  double later_s = 0;
};

/// The relation of the second clock to the first. `toward`: packets that pass the first point
/// first; `back`: the others. Offset, error and drift are valid for the span of the samples.
/// Without samples of both kinds it is not `known`, and the offset makes the smallest delay zero.
ClockRelation fit_clock(const std::vector<ClockSample>& toward,
                        const std::vector<ClockSample>& back);

/// The difference of the clocks at an instant of the first.
double clock_difference_s(const ClockRelation& relation, Time at);

}  // namespace slowpath::flow::comparison
