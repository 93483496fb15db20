// SPDX-License-Identifier: Apache-2.0
// The parts of the text report, each in a file of its own. For text.cc and its tests only.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "facts/connection.h"
#include "facts/finding.h"
#include "report/answer.h"
#include "report/layout.h"
#include "report/text.h"

namespace slowpath::report {

/// One heading for each capture with its vantage and what is normal there; then a line each for
/// damage, capture loss, what was skipped, and files that could not be read.
void write_inputs(Page& page, const Answer& answer, const TextOptions& options);

/// The direction that a reader means: the finding's, else the one with more bytes.
Direction main_direction(const ConnectionFacts& connection, const Finding* finding);

/// "10.0.0.1:47876 → 10.0.0.2:9000": sender first.
std::string ends_of(const ConnectionFacts& connection, Direction direction);

/// "1.50 MiB in 8.2 s = 1.5 Mbit/s, RTT 130 µs".
std::string transfer_of(const ConnectionFacts& connection, Direction direction);

/// "timeout 95.6 %   loss-recovery 2.1 %": the greatest first; empty without data.
std::string shares_of(const TimeAccount& account);

/// The line on retransmissions that Wireshark counts otherwise; empty where it does not.
std::string wireshark_difference(const ConnectionFacts& connection, Direction direction);

/// The heading of a connection and where its time went.
void write_connection(Page& page, const ConnectionFacts& connection, Direction direction);

/// A finding in full. `label` is VERDICT, FAULT, SUSPECT or NOTE.
void write_finding(Page& page, const Answer& answer, const Finding& finding, std::string_view label,
                   const TextOptions& options);

/// A finding in a line or two.
void write_finding_briefly(Page& page, const Finding& finding);

/// Why detectors stayed silent, identical reasons together.
void write_silences(Page& page, const Answer& answer);

}  // namespace slowpath::report
