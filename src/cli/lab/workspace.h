// SPDX-License-Identifier: Apache-2.0
// Where the captures of a lab run go: a folder that the user named, which stays, or one of our own,
// which goes with the run.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace slowpath::cli {

class Workspace {
 public:
  /// `keep` is made if need be and stays; if empty, a folder slowpath-lab-PID-XXXXXX under TMPDIR
  /// is made and vanishes with the workspace. Errors: environment.
  static Result<Workspace> make(const std::string& keep);
  ~Workspace();
  Workspace(Workspace&& other) noexcept;
  Workspace& operator=(Workspace&&) = delete;

  /// A folder in it, made if need be. Errors: environment.
  [[nodiscard]] Result<std::string> folder(const std::string& name) const;
  /// Removes what `folder` gave, unless the user keeps it.
  void discard(const std::string& folder) const;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool is_kept() const { return !temporary_; }

 private:
  Workspace(std::string path, bool temporary) : path_(std::move(path)), temporary_(temporary) {}

  std::string path_;
  bool temporary_;
};

/// Removes folders of this user's earlier runs that were killed: those named as ours whose process
/// is gone. Returns what was removed.
std::vector<std::string> remove_leftovers();

}  // namespace slowpath::cli
