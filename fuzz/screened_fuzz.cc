// SPDX-License-Identifier: Apache-2.0
// Any bytes as a capture that is screened first, all the way to the report: what a large capture
// goes through, with little memory or much. The answer must be the same for any number of threads,
// and count the same packets as the analysis of everything.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/json.h"
#include "cli/pipeline.h"
#include "detect/screened.h"
#include "detect/synthesis.h"
#include "report/json.h"
#include "require.h"

namespace {

using namespace slowpath;
using fuzz::require;

/// A file in memory, by a name that can be opened: the second pass opens it again.
class MemoryFile {
 public:
  MemoryFile(const std::uint8_t* data, std::size_t size) : fd_(memfd_create("fuzz", MFD_CLOEXEC)) {
    require(fd_ >= 0 && write(fd_, data, size) == static_cast<ssize_t>(size));
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { close(fd_); }
  [[nodiscard]] std::string name() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

cli::PipelineOptions options_for(const std::string& name, std::size_t size) {
  cli::PipelineOptions options;
  options.inputs = {{name, {}}};
  options.show_progress = false;
  options.screen_from_bytes = 0;
  // The options follow from the input, so that a file of the corpus always means the same.
  options.verify_checksums = size % 4 != 0;
  options.memory_bytes = size % 8 == 0 ? 1 << 14 : 1 << 28;
  options.largest = size % 3;
  return options;
}

std::string answer_of(cli::Looked looked) {
  report::Answer answer;
  answer.facts = std::move(looked.facts);
  answer.screening = looked.screening;
  answer.diagnosis = detect::diagnose(answer.facts, &answer.silences);
  detect::weigh_screening(answer.facts, answer.screening, answer.diagnosis);
  require(answer.screening.connections_analysed <= answer.screening.connections);
  require(answer.diagnosis.verdict != "healthy" || answer.screening.grave_left == 0);
  return report::to_json(answer, {.explain = true});
}

std::uint64_t packets_of(const Case& facts) {
  return facts.captures.empty() ? 0 : facts.captures[0].packets;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file(data, size);
  cli::PipelineOptions options = options_for(file.name(), size);
  auto one = cli::look(options);
  options.threads = 2;
  auto two = cli::look(options);
  options.full = true;
  const auto full = cli::look(options);
  require(one.has_value() == two.has_value() && one.has_value() == full.has_value());
  if (!one) return 0;
  require(packets_of(one->facts) == packets_of(full->facts));
  const std::string json = answer_of(std::move(*one));
  require(nlohmann::json::accept(json));
  require(json == answer_of(std::move(*two)));
  return 0;
}
