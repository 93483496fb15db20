// SPDX-License-Identifier: Apache-2.0
// The parts of a path test's text, each from its own facts. For path_test_text.cc only.
#pragma once

#include "facts/path_test.h"
#include "report/layout.h"

namespace slowpath::report {

void write_path_mtu(Page& page, const PathTestFacts& test, bool all);
void write_path_latency(Page& page, const LatencyTest& latency);
void write_path_headers(Page& page, const MiddleboxTest& boxes);
void write_path_idle(Page& page, const IdleTest& idle);
void write_path_churn(Page& page, const ChurnTest& churn);

/// "out", "back".
std::string_view to_way(Direction direction);

}  // namespace slowpath::report
