// SPDX-License-Identifier: Apache-2.0
// A directory that goes with the test.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

namespace slowpath::test {

class Scratch {
 public:
  Scratch() {
    // Memory where there is some: every record is synced, and a disk takes its time.
    const std::filesystem::path memory = "/dev/shm", disk = std::filesystem::temp_directory_path();
    std::string name =
        ((std::filesystem::is_directory(memory) ? memory : disk) / "slowpath-fix-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace slowpath::test
