// SPDX-License-Identifier: Apache-2.0
#include "cli/lab/workspace.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slowpath::cli {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::StartsWith;

/// TMPDIR is an empty folder of the test's own.
class LabWorkspace : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = testing::TempDir() + "workspace-XXXXXX";
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    root_ = path;
    if (const char* before = std::getenv("TMPDIR")) before_ = before;
    setenv("TMPDIR", root_.c_str(), 1);
  }
  void TearDown() override {
    before_.empty() ? unsetenv("TMPDIR") : setenv("TMPDIR", before_.c_str(), 1);
    fs::remove_all(root_);
  }

  std::string root_, before_;
};

/// The number of a process that is no more.
pid_t dead_process() {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  return child;
}

TEST_F(LabWorkspace, a_temporary_one_goes_with_what_is_in_it) {
  std::string path;
  {
    const Result<Workspace> workspace = Workspace::make({});
    ASSERT_TRUE(workspace);
    path = workspace->path();
    EXPECT_THAT(path, StartsWith(fmt::format("{}/slowpath-lab-{}-", root_, getpid())));
    const Result<std::string> folder = workspace->folder("broken");
    ASSERT_TRUE(folder);
    std::ofstream(*folder + "/server.pcapng") << "bytes";
    EXPECT_FALSE(workspace->is_kept());
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(LabWorkspace, one_that_the_user_named_stays) {
  const std::string keep = root_ + "/captures/today";
  {
    const Result<Workspace> workspace = Workspace::make(keep);
    ASSERT_TRUE(workspace);
    const Result<std::string> folder = workspace->folder("broken");
    ASSERT_TRUE(folder);
    workspace->discard(*folder);
  }
  EXPECT_TRUE(fs::exists(keep + "/broken"));
}

TEST_F(LabWorkspace, a_folder_that_cannot_be_made_is_an_error) {
  std::ofstream(root_ + "/file") << "x";
  const Result<Workspace> workspace = Workspace::make(root_ + "/file/below");
  ASSERT_FALSE(workspace);
  EXPECT_EQ(workspace.error().kind, ErrorKind::environment);
}

TEST_F(LabWorkspace, leftovers_of_dead_processes_go_and_nothing_else) {
  const std::string left = fmt::format("{}/slowpath-lab-{}-abcdef", root_, dead_process());
  const std::string alive = fmt::format("{}/slowpath-lab-{}-abcdef", root_, getpid());
  const std::string longer = fmt::format("{}/slowpath-lab-{}-my-notes", root_, dead_process());
  const std::string other = root_ + "/slowpath-laboratory";
  for (const std::string& path : {left, alive, longer, other}) fs::create_directory(path);
  std::ofstream(left + "/server.pcapng") << "bytes";
  const std::string link = fmt::format("{}/slowpath-lab-{}-ghijkl", root_, dead_process());
  fs::create_directory_symlink(other, link);
  EXPECT_THAT(remove_leftovers(), ElementsAre(left));
  EXPECT_FALSE(fs::exists(left));
  for (const std::string& path : {alive, longer, other, link})
    EXPECT_TRUE(fs::exists(path)) << path;
}

}  // namespace
}  // namespace slowpath::cli
