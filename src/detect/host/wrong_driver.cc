// SPDX-License-Identifier: Apache-2.0
// wrong-driver: a driver built for another release, or an emulated NIC where a paravirtual one
// could be.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "detect/host_driver.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

bool look_at_build(const Host& host, std::vector<HostFinding>& found) {
  bool is_told = false;
  const auto build = foreign_driver(host.facts, is_told);
  if (!is_told) return false;
  if (!build) return true;
  found.push_back(
      {.severity = Severity::fault,  // the inventory is the catalogue's minimum evidence
       .claim = fmt::format("{} was built for release {}, and this is {}", build->module,
                            build->built_for, host.facts.os_release),
       .value = fmt::format("the build for {}", build->built_for),
       .expected = fmt::format("the build for {}", build->expected),
       .why = "another release's driver loads and half works: MTU, large sends and their lengths "
              "are where it fails",
       .cost = "large sends that are lost whole, or an MTU that cannot be raised",
       .evidence = {{EvidenceKind::setting, build->installed, "installed driver"},
                    {EvidenceKind::setting, build->shipped, "shipped drivers"}}});
  return true;
}

/// The paravirtual NIC of each hypervisor, and what it emulates as well.
struct Emulation {
  std::string_view hypervisor, better;
};
constexpr Emulation kBetter[] = {
    {"vmware", "VMXNET3"},
    {"kvm", "virtio-net"},
    {"qemu", "virtio-net"},
    {"xen", "xen-netfront"},
    {"hyper-v", "the synthetic NIC"},
    {"microsoft", "the synthetic NIC"},
};
constexpr std::string_view kEmulatedDrivers[] = {"e1000",    "pcnet32", "8139cp", "8139too",
                                                 "ne2k-pci", "tulip",   "rtl8139"};
// As Windows names what VMware and others emulate.
constexpr std::string_view kEmulatedNames[] = {"82545EM", "82574L", "PRO/1000 MT", "RTL8139",
                                               "PCNET"};

std::string emulated_name(const InterfaceFacts& interface) {
  for (const std::string_view driver : kEmulatedDrivers) {
    if (interface.driver == driver) return interface.driver;
  }
  for (const std::string_view name : kEmulatedNames) {
    if (interface.alias.contains(name)) return interface.alias;
  }
  return {};
}

bool look_at_emulation(const Host& host, std::vector<HostFinding>& found) {
  const std::string& virt = host.facts.virtualization;
  const bool has_drivers = std::ranges::any_of(
      host.facts.interfaces,
      [](const InterfaceFacts& each) { return !each.driver.empty() || !each.alias.empty(); });
  if (!has_drivers || virt.empty()) return false;
  const auto* better = std::ranges::find(kBetter, std::string_view(virt), &Emulation::hypervisor);
  if (better == std::end(kBetter)) return true;
  for (const InterfaceFacts& interface : host.facts.interfaces) {
    const std::string name = emulated_name(interface);
    if (name.empty() || !is_in_use(interface)) continue;
    found.push_back(
        {.interface = interface.name,
         .claim = fmt::format("{} is an emulated NIC ({})", interface.name, name),
         .value = name,
         .expected = std::string(better->better),
         .why = "the hypervisor plays an old card register by register, and each of its accesses "
                "leaves the guest",
         .cost = "1 to 2 Gbit/s at a full core, where a paravirtual NIC gives ten",
         .evidence = {seen_on(interface, name),
                      {EvidenceKind::setting, "virtualization: " + virt, "this host"}}});
    found.back().steps.push_back(
        {Platform::any, fmt::format("Change the machine's virtual NIC to {}", better->better),
         "change back to the type noted before", "VMware KB 1001805", true});
  }
  return true;
}

constexpr std::array kRules{
    HostRule{"driver-of-other-release", Platform::solaris,
             "listings of /kernel/drv and of the package's lib/modules/binary",
             "an installed driver has the size of the file shipped for another release, and not "
             "that of the one for this release",
             look_at_build},
    HostRule{"emulated-nic", std::nullopt,
             "systemd-detect-virt and ethtool -i, or systeminfo and "
             "Get-NetAdapter",
             "the NIC is one that hypervisors emulate, on a hypervisor that has a paravirtual one",
             look_at_emulation},
};

}  // namespace

extern const HostFault wrong_driver;
const HostFault wrong_driver{"wrong-driver", kRules};

}  // namespace slowpath::detect::host
