// SPDX-License-Identifier: Apache-2.0
#include "cli/fix/measure.h"

#include <stdio.h>
#include <sys/wait.h>

#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "cli/signals.h"
#include "fix/figure.h"

namespace slowpath::cli {
namespace {

// A measuring command says with it, beside a figure, that bytes were wrong (slowpath(1)).
constexpr int kIntegrityBroken = 1;
constexpr std::size_t kMostOutput = std::size_t{4} << 20;

fix::Measured no_figure(std::string why) {
  return {.value = {}, .integrity_broken = false, .why_not = std::move(why), .is_rate = false};
}

struct Ran {
  std::string output;
  int status = 0;  // as of wait(2)
};

std::optional<Ran> run(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return std::nullopt;
  Ran ran;
  std::array<char, 4096> part{};
  while (const std::size_t n = fread(part.data(), 1, part.size(), pipe)) {
    if (ran.output.size() < kMostOutput) ran.output.append(part.data(), n);
  }
  ran.status = pclose(pipe);
  return ran;
}

}  // namespace

fix::Measured measure(const std::string& command, bool smaller_is_better) {
  const std::optional<Ran> ran = run(command);
  if (!ran) return no_figure("the measuring command cannot be started");
  if (stop_requested()) return no_figure("interrupted");
  const std::optional<fix::Figure> figure = fix::figure_in(ran->output);
  const int code = WIFEXITED(ran->status) ? WEXITSTATUS(ran->status) : 128 + WTERMSIG(ran->status);
  // Without a figure it is what most programs say of any failure.
  const bool is_told = code == kIntegrityBroken && figure,
             is_wrong = is_told || (figure && figure->bytes_wrong);
  if (code != 0 && !is_told)
    return no_figure(fmt::format("the measuring command ended with {}", code));
  if (!figure || figure->value < 0) return no_figure("the measuring command printed no figure");
  // A transfer that moves nothing has a rate; nothing is done in no time.
  if (smaller_is_better && figure->value == 0) return no_figure("the measuring command printed 0");
  return {.value = smaller_is_better ? 1 / figure->value : figure->value,
          .integrity_broken = is_wrong,
          .why_not = is_wrong ? "the measuring command says that bytes were wrong" : "",
          .is_rate = figure->is_rate};
}

}  // namespace slowpath::cli
