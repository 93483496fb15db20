// SPDX-License-Identifier: Apache-2.0
#include "probe/iperf3/watch.h"

#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <vector>

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

double silence_limit_s(const Parameters& parameters, double silent_s) {
  const double bits = 8.0 * parameters.block_bytes * std::max(1U, parameters.burst_blocks);
  return silent_s + (parameters.rate_bps > 0 ? bits / parameters.rate_bps : 0);
}

AverageRate::AverageRate(double most_bps, Duration over, Duration interval)
    : most_bps_(most_bps),
      wanted_(static_cast<std::size_t>(
          std::max(1.0, std::round(to_seconds(over) / to_seconds(interval))))) {}

bool AverageRate::exceeds(std::uint64_t bytes, double seconds) {
  last_.push_back({8.0 * static_cast<double>(bytes), seconds});
  if (last_.size() > wanted_) last_.pop_front();
  Interval all;
  for (const Interval& each : last_) {
    all.bits += each.bits;
    all.seconds += each.seconds;
  }
  return last_.size() == wanted_ && all.bits > most_bps_ * all.seconds;
}

Descriptor memory_file(const Parameters& parameters) {
  Descriptor file(memfd_create("slowpath-iperf3", MFD_CLOEXEC));
  std::vector<std::byte> block(parameters.block_bytes);
  if (parameters.repeating_payload) {
    fill_digits(block);
  } else {
    for (std::size_t done = 0; done < block.size();) {
      // One call gives 256 bytes at least, larger ones a signal may cut short.
      const ssize_t got = getrandom(block.data() + done, block.size() - done, 0);
      if (got > 0) done += static_cast<std::size_t>(got);
    }
  }
  if (file.is_open() &&
      write(file.get(), block.data(), block.size()) != static_cast<ssize_t>(block.size())) {
    file.reset();
  }
  return file;
}

Iperf3Cpu cpu_between(const ProcessTimes& begin, const ProcessTimes& end) {
  const double wall = std::max(end.wall_s - begin.wall_s, 1e-9);
  const double user = 100 * (end.user_s - begin.user_s) / wall;
  const double system = 100 * (end.system_s - begin.system_s) / wall;
  return {user + system, user, system};
}

}  // namespace slowpath::probe::iperf3
