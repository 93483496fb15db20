// SPDX-License-Identifier: Apache-2.0
// A box that writes another window scale into handshakes, so that one end reads windows wrongly.
#include "lab/option_stage.h"
#include "lab/packet_edit.h"
#include "lab/rule_stage.h"

namespace slowpath::lab::stages {
namespace {

Result<StagePair> make(Settings& settings) {
  if (auto given = require(settings, {"value"}); !given) return std::unexpected(given.error());
  const auto value = static_cast<std::uint32_t>(settings.number("value", 0, 0, 14));
  return make_option_rewrite(settings, kOptionWindowScale, 1, value, false,
                             "window scale rewritten");
}

}  // namespace

extern const StageKind wscale_rewrite;
const StageKind wscale_rewrite{
    .name = "wscale-rewrite",
    .level = Level::middlebox,
    .summary = "sets the window scale of SYN and SYN-ACK; keys: value (0..14)",
    .make = make};

}  // namespace slowpath::lab::stages
