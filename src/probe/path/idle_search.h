// SPDX-License-Identifier: Apache-2.0
// How long a silent connection lives: connections of the same kind, each silent for another time,
// all at once, so that the search takes no longer than its longest silence.
#pragma once

#include <functional>

#include "facts/path_test.h"
#include "probe/path/path_peer.h"

namespace slowpath::probe {

struct IdleOptions {
  Duration longest{std::chrono::seconds(120)};
  std::uint32_t connections =
      24;  // silences between 1 s and the longest, evenly in their logarithm
  Duration wait{std::chrono::seconds(4)};  // for an answer after the silence
  std::function<bool()> stopped;
  std::function<void(double seconds)> progress;  // how long it has been
};

IdleTest search_idle(PathPeer& peer, const IdleOptions& options);

}  // namespace slowpath::probe
