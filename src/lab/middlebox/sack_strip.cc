// SPDX-License-Identifier: Apache-2.0
// A box that takes SACK (RFC 2018) out: the permission in handshakes, or the blocks later on.
#include "lab/option_stage.h"
#include "lab/packet_edit.h"

namespace slowpath::lab::stages {
namespace {

Result<StagePair> make(Settings& settings) {
  if (settings.choice("what", "permitted", {"permitted", "blocks"}) == "blocks") {
    return make_option_strip(settings, kOptionSack, OptionCarrier::all_segments,
                             "SACK blocks stripped");
  }
  return make_option_strip(settings, kOptionSackPermitted, OptionCarrier::syn_segments,
                           "SACK permission stripped");
}

}  // namespace

extern const StageKind sack_strip;
const StageKind sack_strip{
    .name = "sack-strip",
    .level = Level::middlebox,
    .summary = "blanks SACK options; keys: what = permitted (of SYN and SYN-ACK, default) | blocks",
    .make = make};

}  // namespace slowpath::lab::stages
