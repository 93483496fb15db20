// SPDX-License-Identifier: Apache-2.0
#include "cli/answer_options.h"

#include <fmt/format.h>

#include "cli/command_line.h"
#include "cli/output.h"
#include "cli/signals.h"

namespace slowpath::cli {

void declare_answer_options(const CommandLine& line, AnswerOptions& options,
                            const AnswerWords& words) {
  line.add_flag("--json", options.json,
                fmt::format("One JSON document (see 'slowpath schema {}')", words.schema))
      .group("Output");
  line.add_option("--color", options.color, "auto, always or never")
      .one_of({"auto", "always", "never"})
      .type_name("WHEN")
      .group("Output");
  line.add_option("--width", options.width, "Columns of the text; else the terminal's, 80 to 120")
      .range(40, 1000)
      .type_name("N")
      .group("Output");
  line.add_flag("--all", options.all, std::string{words.all}).group("Output");
  line.add_flag("-q,--quiet", options.quiet, "The verdict's line alone, and no progress")
      .group("Output");
  line.add_option("--fail-on", options.fail_on, std::string{words.fail_on})
      .one_of({"fault", "suspect"})
      .type_name("fault|suspect")
      .group("Output");
}

bool is_coloured(std::string_view word) {
  if (word == "always") return color_wanted(ColorMode::always);
  return color_wanted(word == "never" ? ColorMode::never : ColorMode::automatic);
}

report::Style style_of(const AnswerOptions& options) {
  return {.width = options.width != 0 ? options.width : static_cast<std::size_t>(output_width()),
          .color = is_coloured(options.color),
          .utf8 = locale_is_utf8()};
}

ExitCode exit_code_of_answer(ExitCode written, bool failed) {
  if (written != ExitCode::answered) return written;
  if (const ExitCode stopped = exit_code_of_signal(); stopped != ExitCode::answered) return stopped;
  return failed ? ExitCode::found : ExitCode::answered;
}

}  // namespace slowpath::cli
