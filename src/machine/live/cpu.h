// SPDX-License-Identifier: Apache-2.0
// CPU time of each processor, what the hypervisor gave to others included (/proc/stat).
#pragma once

#include <string_view>
#include <vector>

#include "facts/machine.h"
#include "machine/live/host_files.h"

namespace slowpath::machine {

/// The lines "cpu0 user nice system idle iowait irq softirq steal ...", in ticks of which
/// `ticks_per_second` make a second. Nice is counted as user, irq as system, iowait as idle. Lines
/// that are too short or no numbers are left out.
std::vector<CpuFacts> parse_cpu_times(std::string_view text, double ticks_per_second);

/// Fills machine.cpus.
void read_cpus(const HostFiles& files, MachineFacts& machine);

}  // namespace slowpath::machine
