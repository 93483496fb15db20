// SPDX-License-Identifier: Apache-2.0
// `slowpath schema`: the JSON schemas of what `diagnose`, `compare`, `fetch`, `inspect` and `test`
// print with --json.
#include "report/schema.h"

#include <memory>
#include <string>

#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/output.h"

namespace slowpath::cli {
namespace {

Run declare(const CommandLine& line) {
  auto document = std::make_shared<std::string>("diagnosis");
  line.add_option("DOCUMENT", *document,
                  "diagnosis (if none is named), comparison, fetch, inspection, test or path")
      .one_of({"diagnosis", "comparison", "fetch", "inspection", "test", "path"})
      .type_name("");
  return [document] {
    if (*document == "comparison") return write_answer(report::comparison_schema());
    if (*document == "fetch") return write_answer(report::fetch_schema());
    if (*document == "inspection") return write_answer(report::inspection_schema());
    if (*document == "test") return write_answer(report::test_schema());
    if (*document == "path") return write_answer(report::path_schema());
    return write_answer(report::diagnosis_schema());
  };
}

}  // namespace

extern const Command schema;
const Command schema{
    .name = "schema",
    .summary = "print the JSON schema of what diagnose, compare, fetch, inspect or test answers",
    .group = "About",
    .examples =
        "  slowpath schema > slowpath.diagnosis.v1.schema.json\n"
        "  slowpath schema comparison\n",
    .declare = declare};

}  // namespace slowpath::cli
