// SPDX-License-Identifier: Apache-2.0
#include "fix/plan.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "base/nearest.h"
#include "base/replace_word.h"

namespace slowpath::fix {
namespace {

struct Blank {
  std::string_view word;
  std::string Blanks::* filled_by;
  std::string_view option;  // empty: a step can be taken without it
};
constexpr std::array kBlanks{
    Blank{"DEV", &Blanks::interface, "--interface"},
    Blank{"INGRESS", &Blanks::interface, "--interface"},
    Blank{"TUNNEL", &Blanks::interface, "--interface"},
    Blank{"TUN", &Blanks::interface, "--interface"},
    Blank{"NEW", &Blanks::value, "--value"},
    Blank{"RATE", &Blanks::value, "--value"},
    Blank{"N", &Blanks::value, "--value"},
    Blank{"DST", &Blanks::destination, "--destination"},
    Blank{"GATEWAY", &Blanks::gateway, {}},
};

/// Replaces a blank where it stands as a word.
std::string fill(std::string_view text, const Blanks& blanks, std::vector<std::string>* missing) {
  std::string filled;
  for (std::size_t at = 0; at < text.size();) {
    const bool at_word = at == 0 || !is_word_char(text[at - 1]);
    const Blank* blank = nullptr;
    for (const Blank& b : kBlanks) {
      const std::size_t end = at + b.word.size();
      if (at_word && text.substr(at).starts_with(b.word) &&
          (end == text.size() || !is_word_char(text[end])))
        blank = &b;
    }
    if (blank == nullptr) {
      filled += text[at++];
      continue;
    }
    const std::string& value = blanks.*blank->filled_by;
    filled += value.empty() ? std::string(blank->word) : value;
    if (value.empty() && missing != nullptr && !blank->option.empty() &&
        std::ranges::find(*missing, blank->option) == missing->end())
      missing->emplace_back(blank->option);
    at += blank->word.size();
  }
  return filled;
}

PlannedStep step_of(const Fault& fault, std::size_t place, Platform platform,
                    const Blanks& blanks) {
  const RemedyStep& remedy = fault.remedies[place];
  PlannedStep step;
  step.name = fmt::format("{}/{}", fault.id, place + 1);
  step.remedy = &remedy;
  step.is_ours = platform == Platform::linux && remedy.platform == Platform::linux &&
                 is_known_form(remedy.action);
  step.command = fill(remedy.action, blanks, step.is_ours ? &step.missing : nullptr);
  // A command that a person runs needs the gateway; a step of ours finds it.
  constexpr std::string_view kOpenGateway = " via GATEWAY";
  if (const std::size_t at = step.command.find(kOpenGateway);
      step.is_ours && at != std::string::npos && !blanks.destination.empty())
    step.command.erase(at, kOpenGateway.size());
  step.undo = fill(remedy.undo, blanks, nullptr);
  return step;
}

}  // namespace

std::vector<std::string> blanks_of(std::string_view command) {
  std::vector<std::string> missing;
  // What stands behind is advice.
  fill(command.substr(0, command.find_first_of(",;")), {}, &missing);
  return missing;
}

std::vector<PlannedStep> plan_for(const Fault& fault, Platform platform, const Blanks& blanks) {
  std::vector<PlannedStep> steps;
  for (std::size_t i = 0; i < fault.remedies.size(); ++i) {
    const Platform where = fault.remedies[i].platform;
    if (where == platform || where == Platform::any || where == Platform::cloud)
      steps.push_back(step_of(fault, i, platform, blanks));
  }
  return steps;
}

Result<PlannedStep> find_step(std::string_view name, Platform platform, const Blanks& blanks) {
  const std::string attempt = fmt::format("cannot take the step '{}'", name);
  const std::size_t slash = name.find('/');
  const Fault* fault = find_fault(name.substr(0, slash));
  if (fault == nullptr) {
    std::vector<std::string_view> ids;
    for (const Fault& known : all_faults()) ids.push_back(known.id);
    return fail(ErrorKind::usage, attempt, "no fault has this id",
                did_you_mean(name.substr(0, slash), ids, "'slowpath explain' lists all"));
  }
  std::size_t place = 0;
  const std::string_view number = slash == std::string_view::npos ? "" : name.substr(slash + 1);
  std::from_chars(number.data(), number.data() + number.size(), place);
  if (place == 0 || place > fault->remedies.size()) {
    return fail(ErrorKind::usage, attempt,
                fmt::format("{} has the steps 1 to {}", fault->id, fault->remedies.size()),
                fmt::format("slowpath fix plan {} shows them", fault->id));
  }
  return step_of(*fault, place - 1, platform, blanks);
}

}  // namespace slowpath::fix
