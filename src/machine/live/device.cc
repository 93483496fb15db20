// SPDX-License-Identifier: Apache-2.0
#include "machine/live/device.h"

#include <cerrno>
#include <utility>

namespace slowpath::machine {
namespace {

std::string folder(const InterfaceFacts& facts) { return "/sys/class/net/" + facts.name; }

void keep(const HostFiles& files, const std::string& path, const char* property,
          InterfaceFacts& facts) {
  if (std::string value = files.word(path); !value.empty()) {
    facts.properties[property] = std::move(value);
  }
}

void read_device(const HostFiles& files, InterfaceFacts& facts) {
  const std::string device = folder(facts) + "/device";
  keep(files, device + "/vendor", "pci.vendor", facts);
  keep(files, device + "/device", "pci.device", facts);
  keep(files, device + "/sriov_totalvfs", "sriov.totalvfs", facts);
  keep(files, device + "/sriov_numvfs", "sriov.numvfs", facts);
  keep(files, device + "/numa_node", "numa_node", facts);
  const std::string physical = files.link_name(device + "/physfn");
  if (!physical.empty()) facts.properties["sriov.function_of"] = physical;
  const std::string module = files.link_name(device + "/driver/module");
  if (module.empty()) return;
  keep(files, "/sys/module/" + module + "/version", "module.version", facts);
  keep(files, "/sys/module/" + module + "/taint", "module.taint", facts);
}

/// A link of 802.11 has a phy; a modem's only its type (DEVTYPE of the kernel's uevent).
void read_wireless(const HostFiles& files, InterfaceFacts& facts) {
  const std::string uevent = files.word(folder(facts) + "/uevent");
  const bool has_phy = !files.link_name(folder(facts) + "/phy80211").empty();
  for (const std::string_view line : lines_of(uevent)) {
    if (line == "DEVTYPE=wlan" || line == "DEVTYPE=wwan")
      facts.properties["wireless"] = line.substr(line.find('=') + 1);
  }
  if (has_phy) facts.properties["wireless"] = "wlan";
}

void read_queues(const HostFiles& files, InterfaceFacts& facts) {
  const auto queues = files.list(folder(facts) + "/queues");
  if (!queues) return;
  std::size_t receiving = 0;
  for (const std::string& queue : *queues) {
    if (!queue.starts_with("rx-")) continue;
    ++receiving;
    const std::string property = "rps." + queue;
    keep(files, folder(facts) + "/queues/" + queue + "/rps_cpus", property.c_str(), facts);
  }
  facts.properties["queues.rx"] = std::to_string(receiving);
}

}  // namespace

bool is_shown_in_sysfs(const HostFiles& files, const InterfaceFacts& facts) {
  if (files.word(folder(facts) + "/ifindex") != std::to_string(facts.index)) return false;
  // Another namespace may use the same number and name; then it hardly also has the same device.
  const auto parent = facts.properties.find("parent_device");
  return parent == facts.properties.end() ||
         files.link_name(folder(facts) + "/device") == parent->second;
}

std::set<std::string> device_interrupts(const HostFiles& files, const InterfaceFacts& facts) {
  if (!is_shown_in_sysfs(files, facts)) return {};
  // A virtio device is not the PCI function itself but hangs below it.
  const std::string device = folder(facts) + "/device";
  const bool is_virtio = files.link_name(device + "/subsystem") == "virtio";
  const auto numbers = files.list(device + (is_virtio ? "/../msi_irqs" : "/msi_irqs"));
  if (!numbers) return {};
  return {numbers->begin(), numbers->end()};
}

void read_devices(const HostFiles& files, MachineFacts& machine) {
  if (const auto list = files.list("/sys/class/net"); !list) {
    add_unread(machine.unread, "devices of the interfaces (/sys/class/net)", list.error(), "");
    return;
  }
  for (InterfaceFacts& facts : machine.interfaces) {
    if (facts.kind == "loopback") continue;
    if (!is_shown_in_sysfs(files, facts)) {
      if (facts.kind.empty()) {
        machine.unread.push_back(
            {"device of " + facts.name, "/sys shows another network namespace", "cap_sys_admin"});
      }
      continue;
    }
    if (facts.kind.empty()) {
      read_device(files, facts);
      read_wireless(files, facts);
    }
    read_queues(files, facts);
  }
}

}  // namespace slowpath::machine
