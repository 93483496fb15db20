// SPDX-License-Identifier: Apache-2.0
// A test in iperf3's protocol as text: a line for each interval while it runs, the totals of both
// ends after it.
#pragma once

#include <string>

#include "facts/finding.h"
#include "facts/iperf3.h"
#include "report/text.h"

namespace slowpath::report {

/// In which unit rates are told (iperf3's -f): k, m, g or t for bits, in capitals for bytes, in
/// thousands; 0: whichever fits.
using RateUnit = char;

/// Who tests with whom, and how.
std::string iperf3_begin_text(const Iperf3Facts& facts);
/// The last interval, a line for each stream and one for their sum.
std::string iperf3_interval_text(const Iperf3Facts& facts, RateUnit unit = 0);
/// The totals; with why it ended early.
std::string iperf3_end_text(const Iperf3Facts& facts, RateUnit unit = 0);
/// What limited it, as `slowpath test` says it.
std::string iperf3_verdict_text(const Diagnosis& diagnosis, const TextOptions& options);

}  // namespace slowpath::report
