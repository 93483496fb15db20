// SPDX-License-Identifier: Apache-2.0
#include "probe/iperf3/watch.h"

#include <sys/resource.h>

#include <algorithm>

#include "probe/socket.h"

namespace slowpath::probe::iperf3 {

ProcessTimes process_times() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return {seconds(usage.ru_utime), seconds(usage.ru_stime),
          static_cast<double>(steady_ns()) * 1e-9};
}

Iperf3Cpu cpu_between(const ProcessTimes& begin, const ProcessTimes& end) {
  const double wall = std::max(end.wall_s - begin.wall_s, 1e-9);
  const double user = 100 * (end.user_s - begin.user_s) / wall;
  const double system = 100 * (end.system_s - begin.system_s) / wall;
  return {user + system, user, system};
}

}  // namespace slowpath::probe::iperf3
