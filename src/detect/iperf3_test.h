// SPDX-License-Identifier: Apache-2.0
// The verdict on a test in iperf3's protocol: what this end's sockets tell while it sends is judged
// as slowpath's own tests are; where only the other end sent, what iperf3 does not tell stays
// unknown. Pure, like all of detect/.
#pragma once

#include "facts/finding.h"
#include "facts/iperf3.h"

namespace slowpath::detect {

/// The facts as those of a throughput test, seen from this end: what it sends is "to the server",
/// whichever side it is. TCP only.
TestFacts test_facts_of(const Iperf3Facts& facts);

/// A fault, `healthy`, or `unclear` with what would tell more.
Diagnosis diagnose_iperf3(const Iperf3Facts& facts);

}  // namespace slowpath::detect
