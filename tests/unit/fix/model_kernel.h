// SPDX-License-Identifier: Apache-2.0
// A kernel of a test's own: knobs in a map.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "fix/knob.h"

namespace slowpath::test {

class ModelKernel final : public fix::Kernel {
 public:
  std::map<fix::Knob, std::string> knobs;
  std::set<fix::Knob> refusing;  // take no value
  std::set<fix::Knob> stuck;     // take one value and no other
  int writes = 0;

  Result<std::string> read(const fix::Knob& knob) override {
    const auto found = knobs.find(knob);
    if (found == knobs.end())
      return fail(ErrorKind::environment, "cannot read " + to_string(knob), "no such knob");
    return found->second;
  }
  Result<void> write(const fix::Knob& knob, const std::string& value) override {
    ++writes;
    if (refusing.contains(knob))
      return fail(ErrorKind::usage, "cannot set " + to_string(knob), "it refuses");
    if (stuck.contains(knob)) refusing.insert(knob);
    knobs.at(knob) = value;
    return {};
  }
  Result<std::vector<std::string>> changeable_features(const std::string& interface) override {
    std::vector<std::string> names;
    for (const auto& [knob, value] : knobs) {
      if (knob.kind == fix::KnobKind::feature && knob.interface == interface)
        names.push_back(knob.item);
    }
    if (names.empty())
      return fail(ErrorKind::environment, "cannot read the features of " + interface,
                  "No such device");
    return names;
  }
};

}  // namespace slowpath::test
