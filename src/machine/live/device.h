// SPDX-License-Identifier: Apache-2.0
// What sysfs tells of the device below a network interface: which one it is, virtual functions,
// receive packet steering, whose module drives it.
#pragma once

#include <set>
#include <string>

#include "facts/machine.h"
#include "machine/live/host_files.h"

namespace slowpath::machine {

/// Whether /sys/class/net there shows this very interface: a mount of sysfs keeps showing the
/// network namespace it was mounted in.
bool is_shown_in_sysfs(const HostFiles& files, const InterfaceFacts& facts);
/// The numbers of the message-signalled interrupts of its device; empty where sysfs does not tell.
std::set<std::string> device_interrupts(const HostFiles& files, const InterfaceFacts& facts);

/// Fills properties: "pci.vendor", "pci.device", "sriov.totalvfs", "sriov.numvfs", "numa_node",
/// "rps.rx-0" ..., "module.version", "module.taint", "queues.rx".
void read_devices(const HostFiles& files, MachineFacts& machine);

}  // namespace slowpath::machine
