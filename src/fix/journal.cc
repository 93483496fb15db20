// SPDX-License-Identifier: Apache-2.0
#include "fix/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include <fmt/format.h>

#include "base/json.h"
#include "base/json_text.h"

namespace slowpath::fix {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::string_view kSchema = "slowpath.fix-journal.v1";
constexpr std::array kStates{State::intended, State::applied, State::undone};
// No entry of ours comes near it; a larger file is no entry.
constexpr std::uintmax_t kMostEntryBytes = 1 << 20;

std::unexpected<Error> cannot(std::string attempt, int code) {
  const bool forbidden = code == EACCES || code == EPERM || code == EROFS;
  return fail(ErrorKind::environment, std::move(attempt), std::strerror(code),
              forbidden ? "run it as root, or choose a place with --journal" : "");
}

Result<void> sync_directory(const std::string& directory) {
  const Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open() || fsync(opened.get()) < 0)
    return cannot("cannot sync " + directory, errno);
  return {};
}

Json to_json(const Entry& entry) {
  Json turns = Json::array(), files = Json::array();
  for (const Turn& turn : entry.turns) {
    turns.push_back(
        {{"knob", to_string(turn.knob)}, {"before", turn.before}, {"after", turn.after}});
  }
  for (const MadeFile& file : entry.files) {
    files.push_back({{"path", file.path}, {"content", file.content}});
    if (file.is_link) files.back()["is_link"] = true;
  }
  Json json{{"schema", kSchema},      {"id", entry.id},         {"state", to_string(entry.state)},
            {"step", entry.step},     {"action", entry.action}, {"boot_id", entry.boot_id},
            {"time_s", entry.time_s}, {"turns", turns},         {"files", files}};
  if (entry.confirm_by_s) json["confirm_by_s"] = *entry.confirm_by_s;
  if (entry.on_trial) json["on_trial"] = true;
  return json;
}

State state_of(const std::string& word) {
  const auto found = std::ranges::find(kStates, word, [](State state) { return to_string(state); });
  if (found == kStates.end()) throw std::runtime_error("no state is called '" + word + "'");
  return *found;
}

/// Throws what nlohmann throws, or std::runtime_error.
Entry from_json(const Json& json) {
  if (json.at("schema").get<std::string>() != kSchema)
    throw std::runtime_error("another program's, or a newer one's");
  Entry entry;
  entry.id = json.at("id").get<std::uint32_t>();
  entry.state = state_of(json.at("state").get<std::string>());
  entry.step = json.at("step").get<std::string>();
  entry.action = json.at("action").get<std::string>();
  entry.boot_id = json.at("boot_id").get<std::string>();
  entry.time_s = json.at("time_s").get<std::int64_t>();
  if (json.contains("confirm_by_s"))
    entry.confirm_by_s = json.at("confirm_by_s").get<std::int64_t>();
  entry.on_trial = json.value("on_trial", false);
  for (const Json& turn : json.at("turns")) {
    const Result<Knob> knob = parse_knob(turn.at("knob").get<std::string>());
    if (!knob) throw std::runtime_error(knob.error().message());
    entry.turns.push_back(
        {*knob, turn.at("before").get<std::string>(), turn.at("after").get<std::string>()});
  }
  for (const Json& file : json.at("files")) {
    entry.files.push_back({file.at("path").get<std::string>(),
                           file.at("content").get<std::string>(), file.value("is_link", false)});
  }
  return entry;
}

std::string name_of(std::uint32_t id) { return fmt::format("{:06}.json", id); }

bool is_entry(const fs::path& path) {
  return path.extension() == ".json" && path.filename().string().size() >= 11;
}

void read_entry(const fs::directory_entry& file, Entries& entries) {
  try {
    if (file.file_size() > kMostEntryBytes) throw std::runtime_error("too large for an entry");
    std::ifstream stream(file.path(), std::ios::binary);
    const Json json = parse_ordered_json(stream);
    if (json.is_discarded()) throw std::runtime_error("it is no JSON");
    Entry entry = from_json(json);
    if (file.path().filename() != name_of(entry.id))
      throw std::runtime_error("its name and its id differ");
    entries.list.push_back(std::move(entry));
  } catch (const std::exception& error) {
    entries.damaged.push_back({file.path().string(), error.what()});
  }
}

/// Waits for the lock; a process that was killed has let it go.
Result<void> take_lock(const Descriptor& lock, const std::string& directory, double wait_s) {
  constexpr double kPause_s = 0.05;
  for (double waited_s = 0; flock(lock.get(), LOCK_EX | LOCK_NB) < 0; waited_s += kPause_s) {
    if (errno != EWOULDBLOCK && errno != EINTR) return cannot("cannot lock " + directory, errno);
    if (waited_s >= wait_s) {
      return fail(ErrorKind::environment, "cannot use the journal in " + directory,
                  "another process holds it", "wait until it has finished");
    }
    const timespec pause{0, static_cast<long>(kPause_s * 1e9)};
    nanosleep(&pause, nullptr);
  }
  return {};
}

/// Returns 0 or an errno.
int write_part(const std::string& part, const std::string& content, unsigned mode) {
  const Descriptor file(
      ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file.is_open()) return errno;
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t n = ::write(file.get(), content.data() + done, content.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    done += static_cast<std::size_t>(n);
  }
  return fsync(file.get()) < 0 ? errno : 0;
}

}  // namespace

std::string_view to_string(State state) {
  switch (state) {
    case State::intended:
      return "intended";
    case State::applied:
      return "applied";
    case State::undone:
      return "undone";
  }
  return "undone";
}

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

Result<void> write_synced(const std::string& path, const std::string& content, unsigned mode) {
  const std::string attempt = "cannot write " + path, part = path + kUnfinished;
  int code = write_part(part, content, mode);
  if (code == 0 && rename(part.c_str(), path.c_str()) < 0) code = errno;
  if (code != 0) {
    unlink(part.c_str());
    return cannot(attempt, code);
  }
  return sync_directory(fs::path(path).parent_path().string());
}

Result<Journal> Journal::open(const std::string& directory, double wait_s) {
  std::error_code code;
  fs::create_directories(directory, code);
  if (code) return cannot("cannot make the journal's directory " + directory, code.value());
  Descriptor lock(::open((directory + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock.is_open()) return cannot("cannot open the journal in " + directory, errno);
  if (const Result<void> taken = take_lock(lock, directory, wait_s); !taken)
    return std::unexpected(taken.error());
  // A guard has another working directory.
  const fs::path whole = fs::absolute(directory, code);
  return Journal(code ? directory : whole.lexically_normal().string(), std::move(lock));
}

Result<Entries> read_entries(const std::string& directory) {
  Entries entries;
  std::error_code code;
  for (fs::directory_iterator at(directory, code), end; !code && at != end; at.increment(code)) {
    if (is_entry(at->path())) read_entry(*at, entries);
  }
  if (code) return cannot("cannot read the journal in " + directory, code.value());
  std::ranges::sort(entries.list, {}, &Entry::id);
  return entries;
}

Result<Entries> Journal::read() const { return read_entries(directory_); }

Result<void> Journal::write(Entry& entry) {
  if (entry.id == 0) {
    std::error_code code;
    // Damaged entries keep their numbers too.
    for (fs::directory_iterator at(directory_, code), end; !code && at != end; at.increment(code)) {
      if (!is_entry(at->path())) continue;
      entry.id = std::max(entry.id, static_cast<std::uint32_t>(
                                        std::strtoul(at->path().filename().c_str(), nullptr, 10)));
    }
    ++entry.id;
  }
  return write_synced(directory_ + "/" + name_of(entry.id), json_document(to_json(entry)));
}

}  // namespace slowpath::fix
