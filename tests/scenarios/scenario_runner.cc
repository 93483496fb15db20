// SPDX-License-Identifier: Apache-2.0
// Plays scenarios and compares what is diagnosed with what they expect.
//   scenario_runner FILE.scn... [--print] [--describe] [--pcap OUT]
// Exit code 0: all as expected; 1: not; 2: a scenario that cannot be read, or wrong use.
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "report/text.h"
#include "support/scenario/judge.h"
#include "support/scenario/script.h"

namespace {

namespace scenario = slowpath::test::scenario;

struct Options {
  std::vector<std::string> files;
  bool print = false, describe = false;
  std::string pcap;
};

int complain(const std::string& text) {
  fmt::print(stderr, "{}\n", text);
  return 2;
}

void print_report(const std::string& file, const scenario::Outcome& outcome) {
  slowpath::report::Answer answer;
  answer.facts = outcome.facts;
  for (auto& capture : answer.facts.captures) capture.file = file;
  answer.diagnosis = outcome.diagnosis;
  fmt::print("{}", slowpath::report::to_text(answer, {}));
}

bool write_pcap(const std::string& name, const scenario::Tape& tape) {
  std::ofstream out(name, std::ios::binary);
  const std::string bytes = tape.pcap();
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return static_cast<bool>(out.flush());
}

int run(const std::string& file, const Options& options) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) return complain(file + ": cannot read it");
  const scenario::Scenario played = scenario::play(text.str());
  if (!options.pcap.empty() && !write_pcap(options.pcap, *played.tape)) {
    return complain(options.pcap + ": cannot write it");
  }
  if (played.mistake)
    return complain(fmt::format("{}:{}: {}", file, played.mistake->line, played.mistake->what));
  const scenario::Outcome outcome = scenario::diagnose(*played.tape);
  if (options.print) print_report(file, outcome);
  const std::vector<std::string> complaints = scenario::complaints(played, outcome);
  for (const std::string& sentence : complaints) fmt::print("{}: {}\n", file, sentence);
  if (!complaints.empty() || options.describe) fmt::print("{}", scenario::describe(outcome));
  return complaints.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--print") {
      options.print = true;
    } else if (argument == "--describe") {
      options.describe = true;
    } else if (argument == "--pcap" && i + 1 < arguments.size()) {
      options.pcap = arguments[++i];
    } else if (argument.starts_with('-')) {
      return complain("usage: scenario_runner FILE.scn... [--print] [--describe] [--pcap OUT]");
    } else {
      options.files.push_back(argument);
    }
  }
  if (options.files.empty() || (!options.pcap.empty() && options.files.size() > 1)) {
    return complain("name one scenario, or several without --pcap");
  }
  int worst = 0;
  for (const std::string& file : options.files) worst = std::max(worst, run(file, options));
  return worst;
}
