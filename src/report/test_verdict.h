// SPDX-License-Identifier: Apache-2.0
// The verdict of a throughput test as text, ours and iperf3's alike.
#pragma once

#include "facts/finding.h"
#include "report/layout.h"
#include "report/text.h"

namespace slowpath::report {

/// The verdict's finding in full, the others in a line or, with `all`, in full; what to do next.
void write_test_verdict(Page& page, const Diagnosis& diagnosis, const TextOptions& options);

}  // namespace slowpath::report
