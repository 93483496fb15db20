// SPDX-License-Identifier: Apache-2.0
#include "fix/interface_manager.h"

#include <filesystem>
#include <fstream>
#include <sstream>

namespace slowpath::fix {
namespace {

namespace fs = std::filesystem;

/// Whether interfaces(5) speaks of this interface.
bool is_in(const fs::path& file, const std::string& interface) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    std::string first;
    words >> first;
    if (first != "iface" && first != "auto" && first != "allow-hotplug") continue;
    for (std::string word; words >> word;) {
      if (word == interface) return true;
    }
  }
  return false;
}

/// The number of an interface; networkd and NetworkManager name their state by it.
std::string index_of(const std::string& interface, const std::string& root) {
  std::ifstream stream(root + "/sys/class/net/" + interface + "/ifindex");
  std::string index;
  stream >> index;
  return index;
}

/// The value behind `key` in a file of KEY=VALUE lines.
std::string value_in(const std::string& path, const std::string& key) {
  std::ifstream stream(path);
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with(key)) return line.substr(key.size());
  }
  return {};
}

}  // namespace

bool is_ifupdowns(const std::string& interface, const std::string& root) {
  if (!fs::is_directory(root + "/etc/network/if-up.d")) return false;
  if (is_in(root + "/etc/network/interfaces", interface)) return true;
  std::error_code code;
  for (fs::directory_iterator at(root + "/etc/network/interfaces.d", code), end; !code && at != end;
       at.increment(code)) {
    if (is_in(at->path(), interface)) return true;
  }
  return false;
}

std::string networkd_file(const std::string& interface, const std::string& root) {
  const std::string index = index_of(interface, root);
  return index.empty() ? std::string{}
                       : value_in(root + "/run/systemd/netif/links/" + index, "NETWORK_FILE=");
}

bool is_network_managers(const std::string& interface, const std::string& root) {
  const std::string index = index_of(interface, root);
  return !index.empty() && fs::is_directory(root + "/etc/NetworkManager/dispatcher.d") &&
         value_in(root + "/run/NetworkManager/devices/" + index, "managed=") == "true";
}

}  // namespace slowpath::fix
