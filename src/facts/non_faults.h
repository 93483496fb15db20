// SPDX-License-Identifier: Apache-2.0
// What looks like a fault and is normal. Each is recognised, counted and shown as a note, and never
// raises a finding. Recognising is the work of flow/; here are only the ids and their texts.
#pragma once

#include <span>
#include <string_view>

namespace slowpath {

/// Static lifetime; no text is empty.
struct NonFault {
  std::string_view id;              // "nf-tso-superframe"
  std::string_view looks_like;      // what somebody would take it for
  std::string_view meaning;         // one sentence for a report: why it is normal
  std::string_view how_recognised;  // the marks by which it is known
  std::string_view must_not_hide;   // the real fault that resembles it; ids stand in backquotes
};

/// All of them, in the order of the reference. Static lifetime.
std::span<const NonFault> all_non_faults();

/// The entry with this id, or nullptr. Static lifetime.
const NonFault* find_non_fault(std::string_view id);

}  // namespace slowpath
