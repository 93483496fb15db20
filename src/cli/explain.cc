// SPDX-License-Identifier: Apache-2.0
// `slowpath explain`: the catalogue of faults, one entry or the list of all.
#include <memory>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/nearest.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/output.h"
#include "facts/catalogue.h"
#include "facts/non_faults.h"
#include "report/explain_markdown.h"
#include "report/explain_text.h"

namespace slowpath::cli {
namespace {

struct Options {
  std::string id;
  bool markdown = false;
};

std::vector<std::string_view> all_ids() {
  std::vector<std::string_view> ids;
  for (const Fault& fault : all_faults()) ids.push_back(fault.id);
  for (const NonFault& normal : all_non_faults()) ids.push_back(normal.id);
  return ids;
}

ExitCode refuse(const std::string& id) {
  complain(fmt::format("cannot explain '{}': no fault has this id; {}", id,
                       did_you_mean(id, all_ids(), "'slowpath explain' lists all")));
  return ExitCode::usage;
}

ExitCode run(const Options& options) {
  if (options.markdown) return write_answer(report::explain_markdown());
  const report::Style style{.width = static_cast<std::size_t>(output_width()),
                            .color = color_wanted(ColorMode::automatic),
                            .utf8 = locale_is_utf8()};
  if (options.id.empty()) return write_answer(report::explain_list(style));
  if (const Fault* fault = find_fault(options.id))
    return write_answer(report::explain_text(*fault, style));
  if (const NonFault* normal = find_non_fault(options.id))
    return write_answer(report::explain_text(*normal, style));
  return refuse(options.id);
}

Run declare(const CommandLine& line) {
  auto options = std::make_shared<Options>();
  const Option id =
      line.add_option("FAULT", options->id,
                      "Id of a fault, or of something normal (nf-...); all are listed "
                      "without it");
  line.add_flag("--markdown", options->markdown, "Print the whole catalogue as a document")
      .excludes(id);
  return [options] { return run(*options); };
}

}  // namespace

extern const Command explain;
const Command explain{.name = "explain",
                      .summary = "what a fault is, how it is recognised and what to do",
                      .examples =
                          "  slowpath explain\n"
                          "  slowpath explain lso-not-segmented\n"
                          "  slowpath explain nf-tso-superframe\n",
                      .declare = declare};

}  // namespace slowpath::cli
