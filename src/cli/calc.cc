// SPDX-License-Identifier: Apache-2.0
// `slowpath calc`: the arithmetic of the field without a capture. Dispatches only; the calculations
// are in calc/, the formulas in detect/arithmetic/.
#include <array>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "cli/calc/calculation.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/output.h"

namespace slowpath::cli {
namespace calc {

extern const Calculation bdp;
extern const Calculation window;
extern const Calculation mtu;
extern const Calculation fragments;
extern const Calculation rtt;
extern const Calculation loss;
extern const Calculation rate;
extern const Calculation transfer;
extern const Calculation ports;
extern const Calculation wscale;
extern const Calculation autotuning;

}  // namespace calc

namespace {

constexpr std::array kCalculations{&calc::bdp,   &calc::window, &calc::mtu,       &calc::fragments,
                                   &calc::rtt,   &calc::loss,   &calc::rate,      &calc::transfer,
                                   &calc::ports, &calc::wscale, &calc::autotuning};

struct Chosen {
  calc::Compute compute;
  bool json = false;
};

/// A terminal that cannot show the Greek letter gets the Latin one.
std::string fit_locale(std::string text) {
  if (locale_is_utf8()) return text;
  for (const auto& [from, to] :
       {std::pair<std::string_view, std::string_view>{"µ", "u"}, {"…", "..."}}) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
      text.replace(at, from.size(), to);
    }
  }
  return text;
}

void add_calculation(const CommandLine& line, const calc::Calculation& calculation,
                     const std::shared_ptr<Chosen>& chosen) {
  const CommandLine sub =
      line.add_subcommand(calculation.name, calculation.summary, calculation.examples);
  sub.on_parsed([chosen, compute = calculation.declare(sub)] { chosen->compute = compute; });
  sub.add_flag("--json", chosen->json, "Answer in JSON, raw numbers with the unit in the key");
}

Run declare(const CommandLine& line) {
  auto chosen = std::make_shared<Chosen>();
  for (const calc::Calculation* calculation : kCalculations) {
    add_calculation(line, *calculation, chosen);
  }
  line.take_one_subcommand();
  return [chosen, line] {
    if (!chosen->compute) {
      fmt::print(stderr, "{}", line.help("slowpath"));
      return ExitCode::usage;
    }
    const auto sheet = chosen->compute();
    if (!sheet) return complain(sheet.error());
    return write_answer(chosen->json ? sheet->to_json() : fit_locale(sheet->to_text()));
  };
}

}  // namespace

extern const Command calc_command;
const Command calc_command{
    .name = "calc",
    .summary = "windows, buffers, MTU, loss budgets, ports: the arithmetic without a capture",
    .examples =
        "  slowpath calc bdp --rate 1G --rtt 20ms\n"
        "  slowpath calc window --rtt 30ms\n"
        "  slowpath calc mtu --tunnel wireguard\n"
        "  slowpath calc fragments --size 2000 --mtu 1500\n"
        "  slowpath calc rtt --km 5000\n"
        "  slowpath calc loss --rate 1G --rtt 80ms\n"
        "  slowpath calc rate --loss 0.1% --rtt 50ms\n"
        "  slowpath calc ports --range 28232 --time-wait 60s\n",
    .declare = declare};

}  // namespace slowpath::cli
