// SPDX-License-Identifier: Apache-2.0
// What was changed on this host and how to put it back. Each step has a file of its own, written
// and synced before the host is touched, so that a crash at any moment leaves either nothing to
// undo or a record of it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "fix/knob.h"

namespace slowpath::fix {

/// How far a step has come. `intended`: its knobs may have been turned or not.
enum class State : std::uint8_t { intended, applied, undone };
/// "intended", "applied", "undone".
std::string_view to_string(State state);

/// One knob as it was and as it shall be.
struct Turn {
  Knob knob;
  std::string before, after;
};

/// A file that makes a step survive a reboot. It did not exist before.
struct MadeFile {
  std::string path;
  std::string content;  // of a link: where it leads
  bool is_link = false;
};

/// One step that was taken.
struct Entry {
  std::uint32_t id = 0;  // counts up within the journal
  State state = State::intended;
  std::string step;         // "lso-not-segmented/1", or the command it was given as
  std::string action;       // in words or as a command, for people
  std::string boot_id;      // of the kernel that was changed: knobs do not outlive it
  std::int64_t time_s = 0;  // UTC, since 1970
  std::optional<std::int64_t> confirm_by_s;  // undone by itself then, unless it is confirmed
  bool on_trial = false;    // taken by a proof, which takes it back or keeps it in the end
  std::vector<Turn> turns;  // in the order of turning
  std::vector<MadeFile> files;
};

/// A file of the journal that could not be read; it is left alone.
struct DamagedEntry {
  std::string file;
  std::string why;
};

struct Entries {
  std::vector<Entry> list;  // by id
  std::vector<DamagedEntry> damaged;
};

/// What a journal says at this moment, whoever holds it: each entry is written whole. Errors:
/// environment.
Result<Entries> read_entries(const std::string& directory);

/// The journal of one host, held by one process at a time.
class Journal {
 public:
  /// Opens or makes it and waits up to `wait_s` for another process to let it go. Errors:
  /// environment.
  static Result<Journal> open(const std::string& directory, double wait_s = 10);

  [[nodiscard]] Result<Entries> read() const;
  /// Keeps `entry`, synced to the disk when it returns; gives it an id where it has none. Errors:
  /// environment.
  [[nodiscard]] Result<void> write(Entry& entry);
  [[nodiscard]] const std::string& directory() const { return directory_; }

 private:
  Journal(std::string directory, Descriptor lock)
      : directory_(std::move(directory)), lock_(std::move(lock)) {}

  std::string directory_;
  Descriptor lock_;
};

/// Where the journal of this host is kept unless told otherwise.
inline constexpr const char* kJournalDirectory = "/var/lib/slowpath/fixes";

/// Identifies the running kernel's boot (/proc/sys/kernel/random/boot_id); empty where it is not
/// told.
std::string boot_id();

/// What write_synced() calls a file until it is whole: its name and this.
inline constexpr const char* kUnfinished = ".new";

/// Writes a file whole and synced, by way of another name, so that nobody ever sees half of it.
/// Errors: environment.
Result<void> write_synced(const std::string& path, const std::string& content,
                          unsigned mode = 0644);

}  // namespace slowpath::fix
