// SPDX-License-Identifier: Apache-2.0
#include "probe/iperf3/affinity.h"

#include <sched.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace slowpath::probe::iperf3 {

Result<void> pin_to_processor(std::uint32_t number) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (number < CPU_SETSIZE) CPU_SET(number, &set);
  if (sched_setaffinity(0, sizeof set, &set) == 0) return {};
  return fail(ErrorKind::usage, fmt::format("cannot run on processor {}", number),
              std::strerror(errno), "taskset -p $$ shows which may be used");
}

}  // namespace slowpath::probe::iperf3
