// SPDX-License-Identifier: Apache-2.0
// What `slowpath fetch` answers, as text for a person: one screen.
#pragma once

#include <string>

#include "detect/fetch_verdict.h"
#include "facts/fetch.h"
#include "report/layout.h"

namespace slowpath::report {

struct FetchTextOptions {
  Style style{};
  bool all = false;    // every copy and every difference
  bool quiet = false;  // the verdict's line alone
};

std::string fetch_to_text(const FetchFacts& facts, const detect::FetchVerdict& verdict,
                          const FetchTextOptions& options);

}  // namespace slowpath::report
