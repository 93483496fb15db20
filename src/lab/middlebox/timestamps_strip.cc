// SPDX-License-Identifier: Apache-2.0
// A box that takes timestamps (RFC 7323 section 3) out of handshakes, or out of later segments
// alone.
#include "lab/option_stage.h"
#include "lab/packet_edit.h"

namespace slowpath::lab::stages {
namespace {

Result<StagePair> make(Settings& settings) {
  return make_option_strip(settings, kOptionTimestamps, OptionCarrier::all_segments,
                           "timestamps stripped");
}

}  // namespace

extern const StageKind timestamps_strip;
const StageKind timestamps_strip{
    .name = "timestamps-strip",
    .level = Level::middlebox,
    .summary = "blanks the timestamps option of every segment (only = syn: of SYNs)",
    .make = make};

}  // namespace slowpath::lab::stages
