// SPDX-License-Identifier: Apache-2.0
// Who brings an interface up on this host, as its own files say.
#pragma once

#include <string>

namespace slowpath::fix {

/// interfaces(5) speaks of it, and there are scripts to run. `root` stands before every path.
bool is_ifupdowns(const std::string& interface, const std::string& root);

/// The file of systemd.network(5) that systemd-networkd has taken for it
/// ("/etc/systemd/network/10-lan.network"), from the state below /run; empty where networkd has
/// nothing to do with it.
std::string networkd_file(const std::string& interface, const std::string& root);

/// NetworkManager runs scripts here (NetworkManager-dispatcher(8)) and has the interface in hand.
bool is_network_managers(const std::string& interface, const std::string& root);

}  // namespace slowpath::fix
