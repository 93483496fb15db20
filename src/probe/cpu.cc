// SPDX-License-Identifier: Apache-2.0
#include "probe/cpu.h"

#include <sys/resource.h>

#include <algorithm>

#include "facts/cpu_time.h"
#include "machine/live/cpu.h"
#include "machine/live/host_files.h"
#include "probe/socket.h"

namespace slowpath::probe {
namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

}  // namespace

CpuSnapshot read_cpu() {
  CpuSnapshot snapshot;
  snapshot.at_s = static_cast<double>(steady_ns()) * 1e-9;
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  snapshot.own_user_s = seconds_of(usage.ru_utime);
  snapshot.own_system_s = seconds_of(usage.ru_stime);
  MachineFacts machine;
  machine::read_cpus(machine::HostFiles{}, machine);
  snapshot.cpus = std::move(machine.cpus);
  return snapshot;
}

CpuUse between(const CpuSnapshot& begin, const CpuSnapshot& end) {
  CpuUse use{.elapsed_s = end.at_s - begin.at_s,
             .own_user_s = end.own_user_s - begin.own_user_s,
             .own_system_s = end.own_system_s - begin.own_system_s,
             .cpus = {}};
  for (CpuFacts cpu : end.cpus) {
    const auto before = std::ranges::find(begin.cpus, cpu.number, &CpuFacts::number);
    if (before == begin.cpus.end()) continue;  // It was switched on meanwhile.
    // The kernel lets idle and steal go back a little at times.
    cpu.user_s = std::max(0.0, cpu.user_s - before->user_s);
    cpu.system_s = std::max(0.0, cpu.system_s - before->system_s);
    cpu.softirq_s = std::max(0.0, cpu.softirq_s - before->softirq_s);
    cpu.steal_s = std::max(0.0, cpu.steal_s - before->steal_s);
    cpu.idle_s = std::max(0.0, cpu.idle_s - before->idle_s);
    use.cpus.push_back(cpu);
  }
  return use;
}

double busy_share(const CpuFacts& cpu) {
  const double total = total_s(cpu);
  return total > 0 ? 1 - cpu.idle_s / total : 0;
}

}  // namespace slowpath::probe
