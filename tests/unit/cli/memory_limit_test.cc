// SPDX-License-Identifier: Apache-2.0
// What the kernel says of memory, laid out as files.
#include "cli/memory_limit.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace slowpath::cli {
namespace {

namespace fs = std::filesystem;

class MemoryLimit : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = ::testing::TempDir() + "memory-XXXXXX";
    ASSERT_NE(mkdtemp(root_.data()), nullptr);
  }
  void TearDown() override { fs::remove_all(root_); }
  void write(const std::string& name, const std::string& text) const {
    const fs::path path = root_ + name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  [[nodiscard]] std::uint64_t mib() const { return default_memory_bytes(root_) >> 20; }

  std::string root_;
};

TEST_F(MemoryLimit, IsAQuarterOfTheMachine) {
  write("/proc/meminfo", "MemTotal:       16777216 kB\nMemFree:  1 kB\n");
  EXPECT_EQ(mib(), 4096U);
}

TEST_F(MemoryLimit, IsAQuarterOfTheTightestGroup) {
  write("/proc/meminfo", "MemTotal:       16777216 kB\n");
  write("/proc/self/cgroup", "1:name=systemd:/x\n0::/box/part\n");
  write("/sys/fs/cgroup/box/part/memory.max", "max\n");
  EXPECT_EQ(mib(), 4096U);
  write("/sys/fs/cgroup/box/memory.max", "2147483648\n");
  EXPECT_EQ(mib(), 512U);
  write("/sys/fs/cgroup/box/part/memory.max", "1073741824\n");
  EXPECT_EQ(mib(), 256U);
  // Within a container the top is the container's own group.
  write("/sys/fs/cgroup/memory.max", "536870912\n");
  EXPECT_EQ(mib(), 128U);
}

TEST_F(MemoryLimit, IsNeverTooLittleToWork) {
  write("/proc/meminfo", "MemTotal:       1024 kB\n");
  EXPECT_EQ(mib(), 64U);
}

TEST_F(MemoryLimit, IsAGigabyteWhereNothingIsTold) {
  EXPECT_EQ(mib(), 1024U);
  write("/proc/meminfo", "nonsense\n");
  write("/proc/self/cgroup", "0::\n");
  EXPECT_EQ(mib(), 1024U);
}

}  // namespace
}  // namespace slowpath::cli
