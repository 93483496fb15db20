// SPDX-License-Identifier: Apache-2.0
// How much a finding claims. Only `fault` decides the verdict.
#pragma once

#include <string_view>

namespace slowpath {

/// In rising order, so that the severities can be compared.
enum class Severity {
  note,     // worth knowing
  suspect,  // fits, but the evidence is short of the catalogue's minimum
  fault,    // cost time or data, and here is the proof
};

/// "note", "suspect", "fault": the words of the JSON contract. Static lifetime.
std::string_view to_string(Severity severity);

}  // namespace slowpath
