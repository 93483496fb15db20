// SPDX-License-Identifier: Apache-2.0
// From a fault to the steps against it, one switch each, in the catalogue's order; and from a
// command as people write it to the knobs that it turns.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "facts/catalogue.h"
#include "fix/knob.h"

namespace slowpath::fix {

/// What stands for DEV, NEW and the like in the catalogue's commands.
struct Blanks {
  std::string interface;    // DEV, INGRESS, TUNNEL, TUN
  std::string value;        // NEW, N, RATE
  std::string destination;  // DST: an address, a prefix or "default"
  std::string gateway;      // GATEWAY; without it a step of ours leaves the gateway as it is
};

/// One remedy of one fault.
struct PlannedStep {
  std::string name;  // "lso-not-segmented/1": the fault and the remedy's place in the catalogue
  const RemedyStep* remedy = nullptr;
  std::string command, undo;  // the blanks filled in as far as they are known
  bool is_ours = false;       // a command whose knobs apply() can turn on this platform
  std::vector<std::string>
      missing;  // blanks to fill before it can be taken: "--interface", "--value", "--destination"
};

/// The remedies of `fault` on `platform`, and those that belong to none.
std::vector<PlannedStep> plan_for(const Fault& fault, Platform platform, const Blanks& blanks);

/// The remedy that `name` ("lso-not-segmented/1") stands for. Errors: usage, with what there is.
Result<PlannedStep> find_step(std::string_view name, Platform platform, const Blanks& blanks);

/// The knobs that a command turns, on the host of `kernel`: `ethtool -K DEV
/// tso|gso|gro|lro|tx|rx|sg on|off`, `ethtool -G DEV rx|tx N`, `ethtool -L DEV combined|rx|tx N`,
/// `ip link set dev DEV mtu|txqueuelen N`, `ip route change|replace DST [via GATEWAY] dev DEV
/// METRIC [lock] N` (the gateway there is), `tc qdisc replace|change dev DEV root KIND [OPTION
/// N]...` (qdisc_knob.h, qdisc_option_knob.h), `ethtool -X DEV default|[start N] equal N|[start N]
/// weight N...`, `ethtool -s DEV autoneg on|off [speed N] [duplex half|full]`, `sysctl -w
/// NAME=VALUE`, the `nft` command that clamps the MSS (mss_clamp.h), or KNOB=VALUE (knob.h). An
/// ethtool word stands for those of its kernel features that the driver lets change; MIN and
/// DEFAULT in a sysctl's value for what stands there now. Words after a comma or semicolon are
/// advice, as in the catalogue. Errors: usage, saying what was not understood; environment, where
/// the interface cannot be asked.
Result<std::vector<Change>> changes_of(std::string_view command, Kernel& kernel);

/// The options that would fill what a command leaves open: {"--value"} of "sysctl -w KEY=NEW".
std::vector<std::string> blanks_of(std::string_view command);

/// Whether changes_of() knows the form of `command`, blanks and all.
bool is_known_form(std::string_view command);

}  // namespace slowpath::fix
