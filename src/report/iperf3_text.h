// SPDX-License-Identifier: Apache-2.0
// A test in iperf3's protocol as text: a line for each interval while it runs, the totals of both
// ends after it.
#pragma once

#include <string>

#include "facts/iperf3.h"

namespace slowpath::report {

/// Who tests with whom, and how.
std::string iperf3_begin_text(const Iperf3Facts& facts);
/// The last interval, a line for each stream and one for their sum.
std::string iperf3_interval_text(const Iperf3Facts& facts);
/// The totals; with why it ended early.
std::string iperf3_end_text(const Iperf3Facts& facts);

}  // namespace slowpath::report
