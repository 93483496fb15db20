// SPDX-License-Identifier: Apache-2.0
// What a well-kept tunnel gateway does: lowers a larger MSS in handshakes to what its link carries.
#include "lab/option_stage.h"
#include "lab/packet_edit.h"
#include "lab/rule_stage.h"

namespace slowpath::lab::stages {
namespace {

Result<StagePair> make(Settings& settings) {
  if (auto given = require(settings, {"max"}); !given) return std::unexpected(given.error());
  const auto max = static_cast<std::uint32_t>(settings.number("max", 0, 0, 65535));
  return make_option_rewrite(settings, kOptionMss, 2, max, true, "MSS clamped");
}

}  // namespace

extern const StageKind mss_clamp;
const StageKind mss_clamp{.name = "mss-clamp",
                          .level = Level::middlebox,
                          .summary = "lowers a larger MSS of SYN and SYN-ACK; keys: max (bytes)",
                          .make = make};

}  // namespace slowpath::lab::stages
