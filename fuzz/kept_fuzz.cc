// SPDX-License-Identifier: Apache-2.0
// Any text as what the program itself once wrote and now reads again: a saved test, an entry of the
// journal of fixes, a route of it. Refused with a reason, or bounded and the same when written.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "facts/test.h"
#include "fix/journal.h"
#include "fix/knob.h"
#include "fix/route_item.h"
#include "report/test_answer.h"
#include "require.h"

namespace {

using namespace slowpath;
using fuzz::require;

/// A directory of this process alone, gone when it ends.
class OwnDirectory {
 public:
  OwnDirectory() {
    path_ = (std::filesystem::temp_directory_path() / "slowpath-kept-XXXXXX").string();
    require(mkdtemp(path_.data()) != nullptr);
  }
  OwnDirectory(const OwnDirectory&) = delete;
  OwnDirectory& operator=(const OwnDirectory&) = delete;
  ~OwnDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void read_as_saved_test(const std::string& text) {
  TestFacts facts;
  TestRun run;
  TestFlow flow;
  for (int i = 0; i < 10; ++i) {
    flow.intervals.push_back({});
    flow.intervals.back().begin_s = i;
    flow.intervals.back().end_s = i + 1;
    flow.intervals.back().bytes = 1000;
  }
  run.flows.push_back(flow);
  facts.runs.push_back(run);
  const auto changes = report::compare_with(facts, text);
  if (!changes) return;
  for (const report::RateChange& change : *changes) {
    require(!change.told || !std::isnan(change.before_bps));
  }
}

void read_as_journal(const std::string& text) {
  static const OwnDirectory directory;
  std::ofstream(directory.path() + "/000001.json", std::ios::binary) << text;
  const auto entries = fix::read_entries(directory.path());
  require(entries.has_value());
  require(entries->list.size() + entries->damaged.size() == 1);
}

void read_as_names(const std::string& text) {
  if (const auto knob = fix::parse_knob(text)) require(fix::to_string(*knob) == text);
  (void)fix::parse_route_item(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  read_as_saved_test(text);
  read_as_journal(text);
  read_as_names(text);
  return 0;
}
