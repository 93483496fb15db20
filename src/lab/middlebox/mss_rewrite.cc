// SPDX-License-Identifier: Apache-2.0
// A box that writes another MSS into handshakes, lower or higher.
#include "lab/option_stage.h"
#include "lab/packet_edit.h"
#include "lab/rule_stage.h"

namespace slowpath::lab::stages {
namespace {

Result<StagePair> make(Settings& settings) {
  if (auto given = require(settings, {"value"}); !given) return std::unexpected(given.error());
  const auto value = static_cast<std::uint32_t>(settings.number("value", 0, 0, 65535));
  return make_option_rewrite(settings, kOptionMss, 2, value, false, "MSS rewritten");
}

}  // namespace

extern const StageKind mss_rewrite;
const StageKind mss_rewrite{.name = "mss-rewrite",
                            .level = Level::middlebox,
                            .summary = "sets the MSS of SYN and SYN-ACK; keys: value (bytes)",
                            .make = make};

}  // namespace slowpath::lab::stages
