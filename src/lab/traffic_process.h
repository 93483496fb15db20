// SPDX-License-Identifier: Apache-2.0
// One end of a transfer as a process of its own, in its host's namespace. It dies with the process
// that started it, even if that is killed.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "lab/traffic_message.h"

namespace slowpath::lab {

class EndProcess {
 public:
  /// Forks: `run` is called in the child, with the thread in the namespace and every descriptor
  /// closed but `keep` and the standard ones; what it returns is handed back. To be called from a
  /// thread that lives as long as the transfer does. Errors: environment.
  static Result<EndProcess> start(int namespace_fd, std::vector<int> keep,
                                  const std::function<EndReport()>& run);
  EndProcess(EndProcess&& other) noexcept;
  EndProcess& operator=(EndProcess&&) = delete;
  /// Kills it if it still runs.
  ~EndProcess();

  /// Readable when it has ended.
  [[nodiscard]] int fd() const { return pidfd_.get(); }
  [[nodiscard]] bool has_ended();
  /// None if it did not come to its end by itself.
  [[nodiscard]] std::optional<EndReport> report() const;

 private:
  EndProcess(pid_t pid, Descriptor pidfd, Descriptor message);

  pid_t pid_ = -1;  // -1: reaped
  Descriptor pidfd_;
  Descriptor message_;  // memory file that it writes before it ends
};

}  // namespace slowpath::lab
