// SPDX-License-Identifier: Apache-2.0
// The rules of path tests, one file a fault or a pair of neighbours, and what they share. Internal
// to detect/.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "facts/finding.h"
#include "facts/path_test.h"

namespace slowpath::detect::path {

using Findings = std::vector<Finding>;
// Sizes.
void pmtud_blackhole(const PathTestFacts& test, Findings& findings);  // and jumbo-mismatch
void icmp_bogus_mtu(const PathTestFacts& test, Findings& findings);
void pmtu_stuck_low(const PathTestFacts& test, Findings& findings);
void fragments(const PathTestFacts& test,
               Findings& findings);  // fragments-dropped, fragments-ooo-dropped
void large_sends(const PathTestFacts& test,
                 Findings& findings);  // lso-not-segmented, icmp-fragneeded-coalesced
// Loss and delay.
void bufferbloat(const PathTestFacts& test, Findings& findings);
void rate_limit(const PathTestFacts& test, Findings& findings);  // policer, shaper
void random_loss(const PathTestFacts& test, Findings& findings);
void length_loss(const PathTestFacts& test, Findings& findings);  // csum-bad-on-arrival
void reordering(const PathTestFacts& test, Findings& findings);   // and duplicated-packets
// Boxes and hosts.
void options_changed(const PathTestFacts& test, Findings& findings);
void idle_nat_drop(const PathTestFacts& test, Findings& findings);
void churn(const PathTestFacts& test, Findings& findings);

/// The sweep that proves most about one direction: told by the far end, then UDP, then echo; among
/// those that tell something. Or nullptr.
const SizeSweep* best_sweep(const PathMtuTest& mtu, Direction direction);

/// "from this host to 10.0.0.1", "from 10.0.0.1 to this host".
std::string way_of(const PathTestFacts& test, Direction direction);

/// A finding of a test, its confidence given.
Finding found(std::string_view fault, Severity severity, double confidence, std::string claim);

/// Evidence of kind `test`.
Evidence tested(std::string text, Figures values = {});

/// So many packets of a size, and what became of them; zeros where none was sent.
SizeResult result_of(const SizeSweep& sweep, std::uint32_t ip_bytes);

/// "ICMP echo", "UDP", "UDP to slowpath serve".
std::string_view name_of(SizeProbeKind kind);

}  // namespace slowpath::detect::path
