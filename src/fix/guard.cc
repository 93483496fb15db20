// SPDX-License-Identifier: Apache-2.0
#include "fix/guard.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "fix/apply.h"

namespace slowpath::fix {
namespace {

/// Leaves terminal, session and standard streams behind.
void detach() {
  setsid();
  signal(SIGHUP, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  const int null = open("/dev/null", O_RDWR);
  for (int stream = 0; stream < 3; ++stream) dup2(null, stream);
  // Among the rest is the journal's lock, which this process will have to wait for.
  close_range(3, ~0U, 0);
  if (chdir("/") < 0) return;
}

/// Waits by the wall clock in short steps: a suspended machine's monotonic clock stands.
void wait_until(std::int64_t when_s) {
  while (time(nullptr) < when_s) sleep(1);
}

void undo_unless_confirmed(const std::string& directory, std::uint32_t id) {
  Result<Journal> journal = Journal::open(directory, 60);
  if (!journal) return;
  Result<Entries> entries = journal->read();
  if (!entries) return;
  const auto entry = std::ranges::find(entries->list, id, &Entry::id);
  if (entry == entries->list.end() || !entry->confirm_by_s || entry->state == State::undone) return;
  const std::unique_ptr<Kernel> kernel = this_host();
  (void)undo(*kernel, *journal, *entry, false);
}

std::string text_of(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  if (address->sa_family == AF_INET)
    bytes = &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
  if (address->sa_family == AF_INET6)
    bytes = &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  if (bytes == nullptr || inet_ntop(address->sa_family, bytes, text.data(), text.size()) == nullptr)
    return {};
  return text.data();
}

}  // namespace

Result<void> start_guard(const std::string& journal_directory, const Entry& entry) {
  const pid_t first = fork();
  if (first < 0)
    return fail(ErrorKind::environment, "cannot start the guard", std::strerror(errno));
  if (first > 0) {
    int status = 0;
    waitpid(first, &status, 0);
    return {};
  }
  // The child of a child belongs to nobody here, so that nobody has to wait for it.
  if (fork() != 0) _exit(0);
  detach();
  wait_until(*entry.confirm_by_s);
  undo_unless_confirmed(journal_directory, entry.id);
  _exit(0);
}

std::string login_interface() {
  const char* connection = std::getenv("SSH_CONNECTION");
  if (connection == nullptr) return {};
  // Client's address and port, then this host's.
  std::istringstream words(connection);
  std::string client, client_port, own;
  words >> client >> client_port >> own;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) < 0) return {};
  std::string name;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr != nullptr && text_of(at->ifa_addr) == own) name = at->ifa_name;
  }
  freeifaddrs(list);
  return name;
}

bool touches_login(const Entry& entry) {
  const std::string login = login_interface();
  return !login.empty() && std::ranges::any_of(entry.turns, [&](const Turn& turn) {
    return turn.knob.interface == login;
  });
}

}  // namespace slowpath::fix
