// SPDX-License-Identifier: Apache-2.0
// A test in iperf3's protocol as iperf3's own `-J` has it: the keys that other programs read, with
// iperf3's names and units (rates in bit/s, times in s, round trips in µs, jitter in ms). No schema
// of ours: docs/iperf3.md lists the keys.
#pragma once

#include <string>
#include <string_view>

#include "facts/finding.h"
#include "facts/iperf3.h"

namespace slowpath::report {

/// One document, ended by a newline. What iperf3 has no key for stands in "slowpath": the verdict
/// with its findings, as slowpath.test.v1 has them.
std::string iperf3_to_json(const Iperf3Facts& facts, const Diagnosis& diagnosis);

/// As iperf3 tells a test that did not begin; the program's exit code is not 0.
std::string iperf3_error_to_json(std::string_view sentence);

}  // namespace slowpath::report
