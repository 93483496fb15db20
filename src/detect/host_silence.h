// SPDX-License-Identifier: Apache-2.0
// The faults that nothing on a host tells for certain, and why: what inspect is silent about.
#pragma once

#include <string_view>

namespace slowpath::detect {

/// Why no rule in host/ names this fault of the catalogue, and what does instead; empty where one
/// does. A clause without a full stop.
std::string_view why_no_host_rule(std::string_view fault);

}  // namespace slowpath::detect
