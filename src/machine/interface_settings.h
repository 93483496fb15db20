// SPDX-License-Identifier: Apache-2.0
// What one network interface of this host is set to, as far as a capture on it can be changed by
// looking: read before and while a capture runs, and compared. Reads only; the whole picture of a
// host is left to the rest of this room.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace slowpath::machine {

/// A feature that the driver does not tell is nothing.
struct InterfaceSettings {
  std::string name;
  int mtu_bytes = 0;
  bool up = false;
  bool promiscuous = false;
  std::optional<bool> tso, gso, gro, lro;
  std::optional<bool> rx_checksum, tx_checksum;

  friend bool operator==(const InterfaceSettings&, const InterfaceSettings&) = default;
};

/// Reads the settings by ioctl (netdevice(7), SIOCETHTOOL); needs no privilege.
/// Errors: no such interface (usage), no socket (environment). "any" is no interface.
Result<InterfaceSettings> read_interface_settings(const std::string& name);

/// What differs, in words ("eth0: promiscuous mode was off, is on"); empty when nothing does.
std::vector<std::string> describe_changes(const InterfaceSettings& before,
                                          const InterfaceSettings& after);

}  // namespace slowpath::machine
