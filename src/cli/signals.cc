// SPDX-License-Identifier: Apache-2.0
#include "cli/signals.h"

#include <csignal>

namespace slowpath::cli {
namespace {

std::atomic<int> received{0};
std::atomic<bool> stop{false};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free,
              "a signal handler may only touch these");

void note_signal(int number) {
  received.store(number);
  stop.store(true);
}

}  // namespace

void note_stop_signals() {
  struct sigaction action = {};
  action.sa_handler = note_signal;
  sigemptyset(&action.sa_mask);
  // No SA_RESTART: waiting for a silent pipe shall end. SA_RESETHAND: the second one is in earnest.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // A terminal that is gone asks to end as well, unless nohup(1) said not to mind.
  struct sigaction hangup = {};
  if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
    sigaction(SIGHUP, &action, nullptr);
}

const std::atomic<bool>& stop_requested() { return stop; }

ExitCode exit_code_of_signal() {
  switch (received.load()) {
    case SIGINT:
      return ExitCode::interrupted;
    case SIGTERM:
    case SIGHUP:
      return ExitCode::terminated;
    default:
      return ExitCode::answered;
  }
}

}  // namespace slowpath::cli
