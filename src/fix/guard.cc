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
#include <filesystem>
#include <fstream>
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

/// Whether the step still waits for somebody to confirm it.
bool is_unconfirmed(const Result<Entries>& entries, std::uint32_t id) {
  if (!entries) return false;
  const auto entry = std::ranges::find(entries->list, id, &Entry::id);
  return entry != entries->list.end() && entry->confirm_by_s && entry->state != State::undone;
}

/// Waits by the wall clock in short steps: a suspended machine's monotonic clock stands. False when
/// the step was confirmed, or undone, or its journal taken away.
bool wait_until(std::int64_t when_s, const std::string& directory, std::uint32_t id) {
  while (time(nullptr) < when_s) {
    if (!is_unconfirmed(read_entries(directory), id)) return false;
    sleep(1);
  }
  return is_unconfirmed(read_entries(directory), id);
}

void undo_unless_confirmed(const std::string& directory, std::uint32_t id) {
  // Whoever holds it, a long proof for one, lets it go some day.
  Result<Journal> journal = Journal::open(directory, 60);
  while (!journal) {
    if (!is_unconfirmed(read_entries(directory), id)) return;
    sleep(1);
    journal = Journal::open(directory, 60);
  }
  Result<Entries> entries = journal->read();
  if (!is_unconfirmed(entries, id)) return;
  const std::unique_ptr<Kernel> kernel = this_host();
  (void)undo(*kernel, *journal, *std::ranges::find(entries->list, id, &Entry::id), false);
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

/// A variable of another process's environment (proc(5)), or empty.
std::string variable_of(pid_t pid, std::string_view name) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/environ", std::ios::binary);
  for (std::string entry; std::getline(file, entry, '\0');) {
    if (entry.starts_with(name) && entry.size() > name.size() && entry[name.size()] == '=')
      return entry.substr(name.size() + 1);
  }
  return {};
}

pid_t parent_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  // The name in parentheses may hold anything.
  const std::size_t behind = text.rfind(") ");
  if (behind == std::string::npos) return 0;
  std::istringstream words(text.substr(behind + 2));
  std::string state;
  pid_t parent = 0;
  words >> state >> parent;
  return parent;
}

/// This host's address of the remote login, or empty.
std::string login_address() {
  constexpr std::string_view kVariable = "SSH_CONNECTION";
  const char* own = std::getenv(kVariable.data());
  std::string connection = own == nullptr ? "" : own;
  constexpr int kMostAncestors = 64;
  pid_t pid = getppid();
  for (int i = 0; connection.empty() && pid > 1 && i < kMostAncestors; ++i, pid = parent_of(pid))
    connection = variable_of(pid, kVariable);
  // Client's address and port, then this host's.
  std::istringstream words(connection);
  std::string client, client_port, address;
  words >> client >> client_port >> address;
  return address;
}

void add_lower(const std::string& name, std::vector<std::string>& names) {
  namespace fs = std::filesystem;
  constexpr std::string_view kLower = "lower_";
  std::error_code code;
  for (fs::directory_iterator at("/sys/class/net/" + name, code), end; !code && at != end;
       at.increment(code)) {
    const std::string entry = at->path().filename();
    if (!entry.starts_with(kLower)) continue;
    const std::string lower = entry.substr(kLower.size());
    if (std::ranges::find(names, lower) == names.end()) names.push_back(lower);
  }
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
  if (wait_until(*entry.confirm_by_s, journal_directory, entry.id))
    undo_unless_confirmed(journal_directory, entry.id);
  _exit(0);
}

std::vector<std::string> login_interfaces() {
  std::string own = login_address();
  own.resize(std::min(own.size(), own.find('%')));
  ifaddrs* list = nullptr;
  if (own.empty() || getifaddrs(&list) < 0) return {};
  std::vector<std::string> names;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr != nullptr && text_of(at->ifa_addr) == own) names.emplace_back(at->ifa_name);
  }
  freeifaddrs(list);
  for (std::size_t i = 0; i < names.size(); ++i) add_lower(names[i], names);
  return names;
}

bool touches_login(const std::vector<Turn>& turns) {
  const std::vector<std::string> login = login_interfaces();
  return std::ranges::any_of(turns, [&](const Turn& turn) {
    return std::ranges::find(login, turn.knob.interface) != login.end();
  });
}

}  // namespace slowpath::fix
