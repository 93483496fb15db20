// SPDX-License-Identifier: Apache-2.0
// A box that takes the window-scale option out of handshakes (RFC 7323 section 2): windows end at
// 64 KiB.
#include "lab/option_stage.h"
#include "lab/packet_edit.h"

namespace slowpath::lab::stages {
namespace {

Result<StagePair> make(Settings& settings) {
  return make_option_strip(settings, kOptionWindowScale, OptionCarrier::syn_segments,
                           "window scale stripped");
}

}  // namespace

extern const StageKind wscale_strip;
const StageKind wscale_strip{.name = "wscale-strip",
                             .level = Level::middlebox,
                             .summary = "blanks the window-scale option of SYN and SYN-ACK",
                             .make = make};

}  // namespace slowpath::lab::stages
