// SPDX-License-Identifier: Apache-2.0
// `slowpath schema`: the JSON schema of what `diagnose --json` prints.
#include "report/schema.h"

#include "cli/command.h"
#include "cli/output.h"

namespace slowpath::cli {
namespace {

Run declare(CLI::App& /*app*/) {
  return [] { return write_answer(report::diagnosis_schema()); };
}

}  // namespace

extern const Command schema;
const Command schema{.name = "schema",
                     .summary = "print the JSON schema of what diagnose --json answers",
                     .group = "About",
                     .examples = "  slowpath schema > slowpath.diagnosis.v1.schema.json\n",
                     .declare = declare};

}  // namespace slowpath::cli
