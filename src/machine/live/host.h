// SPDX-License-Identifier: Apache-2.0
// What kind of machine this is: distribution, kernel, hypervisor, clock source.
#pragma once

#include <string>
#include <string_view>

#include "facts/machine.h"
#include "machine/live/host_files.h"

namespace slowpath::machine {

struct OsRelease {
  std::string name, version;  // PRETTY_NAME, VERSION_ID of os-release(5)
};
OsRelease parse_os_release(std::string_view text);

/// "kvm", "vmware", "hyper-v", "xen", "virtualbox", "parallels", "bhyve", "qemu" ...; empty where
/// nothing speaks for a hypervisor, "unknown" where one is there and does not say which.
/// `signature`: the twelve letters of CPUID leaf 0x40000000; `vendor`, `product`: DMI.
std::string virtualization_of(bool hypervisor_flag, std::string_view signature,
                              std::string_view vendor, std::string_view product);

/// Whether the flags of /proc/cpuinfo have "hypervisor".
bool has_hypervisor_flag(std::string_view cpuinfo);

/// Fills name, os, os_release, kernel, virtualization, clock_source and the settings "dmi.*".
void read_host(const HostFiles& files, MachineFacts& machine);

}  // namespace slowpath::machine
