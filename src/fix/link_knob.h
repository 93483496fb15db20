// SPDX-License-Identifier: Apache-2.0
// A knob for what an interface negotiates, or is forced to, by ethtool's ioctls (linux/ethtool.h,
// ETHTOOL_GLINKSETTINGS). The value is "autoneg on 0x..", with the modes that are offered
// (ethtool's bits, low bits first as one hexadecimal number), or "autoneg off SPEED DUPLEX" in
// Mbit/s. What a negotiation comes to is no part of it.
#pragma once

#include <string>

#include "base/result.h"
#include "fix/knob.h"

namespace slowpath::fix {

/// What `ethtool -s` was told; empty: nothing was said.
struct LinkWish {
  std::string autoneg, speed, duplex;
};
/// The value that such a command means on an interface as it is: negotiation offers all that the
/// driver supports, and what is not said stays. Errors: usage; environment, where the driver does
/// not tell its link.
Result<std::string> link_value_of(const std::string& interface, const LinkWish& wish);
/// What sets it at start, by ethtool(8).
std::string link_command(std::string_view interface, std::string_view value);

/// Errors: environment.
Result<std::string> read_link(const Knob& knob);
/// Errors: as read_link(); usage where the value is none, or the driver refuses it.
Result<void> write_link(const Knob& knob, const std::string& value);

}  // namespace slowpath::fix
