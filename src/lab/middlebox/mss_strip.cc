// SPDX-License-Identifier: Apache-2.0
// A box that takes the MSS option out of handshakes: the ends fall back to 536 bytes (RFC
// 9293, 3.7.1).
#include "lab/option_stage.h"
#include "lab/packet_edit.h"

namespace slowpath::lab::stages {
namespace {

Result<StagePair> make(Settings& settings) {
  return make_option_strip(settings, kOptionMss, OptionCarrier::syn_segments, "MSS stripped");
}

}  // namespace

extern const StageKind mss_strip;
const StageKind mss_strip{.name = "mss-strip",
                          .level = Level::middlebox,
                          .summary = "blanks the MSS option of SYN and SYN-ACK",
                          .make = make};

}  // namespace slowpath::lab::stages
