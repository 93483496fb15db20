// SPDX-License-Identifier: Apache-2.0
// A path test as text for a person, and as JSON (`slowpath.path.v1`, schema in docs/).
#pragma once

#include <string>

#include "facts/finding.h"
#include "facts/path_test.h"
#include "report/layout.h"

namespace slowpath::report {

/// What was measured and what it proves, on one screen; with `all` every size and every remedy.
std::string path_test_text(const PathTestFacts& test, const Diagnosis& diagnosis,
                           const Style& style, bool all);

/// What was measured alone, to stand in another test's page.
std::string path_measurements_text(const PathTestFacts& test, const Style& style, bool all);

/// The same as an object, in JSON, without verdict and findings.
std::string path_measurements_json(const PathTestFacts& test);

/// One document, ended by a newline.
std::string path_test_json(const PathTestFacts& test, const Diagnosis& diagnosis, bool interrupted);

}  // namespace slowpath::report
