// SPDX-License-Identifier: Apache-2.0
// A detector: a pure function of the Case, one file a fault. It knows nothing of other detectors, reads no file, no
// socket and no clock. Folding, ruling out and ranking are the synthesis' work.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "facts/case.h"
#include "facts/finding.h"

namespace slowpath::detect {

struct Policing;  // policing.h

/// What a detector looks at, for --explain.
enum class Scope : std::uint8_t { direction, connection, path, capture };

/// Why a detector said nothing about something it looked at.
struct Silence {
  std::string_view fault;
  std::uint32_t connection = 0;    // id; ignored for path and capture scope
  std::optional<Direction> direction;
  std::string why;                 // "3 losses; at least 10 are needed"
};

/// Where detectors put what they say. `silences` is null unless somebody asked (--explain).
struct Findings {
  std::vector<Finding> list;
  std::vector<Silence>* silences = nullptr;
  /// Made by the first detector that asks; see policing_of(). It follows from the case alone, so the order of detectors
  /// still changes nothing.
  std::shared_ptr<const std::vector<Policing>> policing = nullptr;
};

struct Detector {
  std::string_view id;             // catalogue id; the rest of its texts is in the catalogue
  Scope scope = Scope::direction;
  std::string_view needs;          // facts it cannot do without, in words: "the handshake, or 10 round trips"
  void (*inspect)(const Case&, Findings&) = nullptr;
};

/// All detectors, sorted by id. The table is generated from the files in detectors/.
std::span<const Detector* const> all_detectors();

}  // namespace slowpath::detect
