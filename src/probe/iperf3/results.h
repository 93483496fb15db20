// SPDX-License-Identifier: Apache-2.0
// What both ends tell each other after a test, as iperf3 writes it in JSON.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "facts/iperf3.h"

namespace slowpath::probe::iperf3 {

/// What this end measured. `server_output` is left out where it is empty.
nlohmann::ordered_json results_to_json(const Iperf3Facts& facts, const std::string& congestion,
                                       const std::string& server_output);

/// Takes over what the other end measured; what is missing, has another type or belongs to no
/// stream of ours is passed over.
void take_results(Iperf3Facts& facts, const nlohmann::ordered_json& json);

}  // namespace slowpath::probe::iperf3
