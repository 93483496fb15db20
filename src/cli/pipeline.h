// SPDX-License-Identifier: Apache-2.0
// Captures in, a Case out: opens the files, orders them, and runs their packets through the decoder
// and the flow engine. Files that follow each other in time are one rotated capture; files that
// overlap were taken at different places, and each such place is looked at by itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "cli/frames_output.h"
#include "cli/selection.h"
#include "facts/case.h"
#include "facts/screening.h"
#include "report/answer.h"

namespace slowpath::cli {

struct InputName {
  std::string file;   // "-" is standard input
  std::string place;  // of --at PLACE=FILE, or empty
};

/// A live interface instead of files.
struct LiveInput {
  std::string interface;
  std::optional<Duration> duration;  // until a signal without
};

struct PipelineOptions {
  std::vector<InputName> inputs;
  std::optional<LiveInput> live;
  std::string filter;  // tcpdump's language; empty lets everything pass
  TimeWindow window;
  bool verify_checksums = true;
  std::uint64_t memory_bytes = std::uint64_t{1} << 30;
  bool show_progress = true;
  FramesOutput* frames = nullptr;  // told every TCP frame, where asked for
  bool compare = false;            // the named places with one another
  // Captures from this size on are screened first, unless `full` asks for everything; and smaller
  // ones with more connections than that.
  std::uint64_t screen_from_bytes = std::uint64_t{64} << 20;
  std::size_t screen_from_connections = std::size_t{1} << 14;
  bool full = false;
  std::size_t threads = 0;                 // for screened captures; 0 = processors, at most 4
  std::size_t largest = 10;                // connections that are analysed for their size alone
  std::optional<ConnectionChoice> wanted;  // the only one that is asked for
};

/// What was seen. Where a signal came, what was seen until then.
struct Looked {
  Case facts;
  ScreeningFacts screening;                    // of a large capture: `facts` has what was analysed
  std::vector<report::Unreadable> unreadable;  // beside at least one that was read
  std::vector<std::string> remarks;            // for standard error
};

/// Errors: no input could be read (the first one's error), or the filter does not compile.
Result<Looked> look(const PipelineOptions& options);

}  // namespace slowpath::cli
