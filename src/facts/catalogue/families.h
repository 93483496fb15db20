// SPDX-License-Identifier: Apache-2.0
// The tables behind the catalogue, one function a family, and the words to write remedies with.
// Private to facts/: everyone else reads facts/catalogue.h.
#pragma once

#include <span>
#include <string_view>

#include "facts/catalogue.h"

namespace slowpath::catalogue {

std::span<const Fault> segmentation_faults();
std::span<const Fault> integrity_faults();
std::span<const Fault> mtu_faults();
std::span<const Fault> window_faults();
std::span<const Fault> network_faults();
std::span<const Fault> link_faults();
std::span<const Fault> host_faults();
std::span<const Fault> middlebox_faults();
std::span<const Fault> connection_faults();

/// A step that only looks: there is nothing to undo.
constexpr RemedyStep look(Platform platform, Role where, std::string_view action,
                          std::string_view source) {
  return {platform, where, action, kNothingToUndo, source};
}

/// A step that changes something.
constexpr RemedyStep change(Platform platform, Role where, std::string_view action,
                            std::string_view undo, std::string_view source) {
  return {platform, where, action, undo, source};
}

/// A change whose exact command depends on release or driver: the source must be read first.
constexpr RemedyStep unsure(Platform platform, Role where, std::string_view action,
                            std::string_view undo, std::string_view source) {
  return {platform, where, action, undo, source, true};
}

/// A change to the application, or to how it is used, for which there is no command.
constexpr RemedyStep reprogram(Platform platform, Role where, std::string_view action,
                               std::string_view source) {
  return {platform, where, action, "go back to the application's earlier version or setting",
          source};
}

/// A step that helps only between hosts that are near each other.
constexpr RemedyStep inside_data_centre(RemedyStep step) {
  // Without queues a round trip there takes some 0.25 ms (Alizadeh and others, SIGCOMM 2010); other
  // sites of one city are a few milliseconds away.
  step.most_rtt_s = 0.010;
  return step;
}

}  // namespace slowpath::catalogue
