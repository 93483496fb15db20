// SPDX-License-Identifier: Apache-2.0
#include "facts/machine.h"

#include <algorithm>

namespace slowpath {

const InterfaceFacts* find_interface(const MachineFacts& machine, std::string_view name) {
  const auto found = std::ranges::find(machine.interfaces, name, &InterfaceFacts::name);
  return found == machine.interfaces.end() ? nullptr : &*found;
}

const Told<std::string>* find_setting(const MachineFacts& machine, const std::string& key) {
  const auto found = machine.settings.find(key);
  return found == machine.settings.end() ? nullptr : &found->second;
}

const Told<std::uint64_t>* find_counter(const MachineFacts& machine, const std::string& key) {
  const auto found = machine.counters.find(key);
  return found == machine.counters.end() ? nullptr : &found->second;
}

}  // namespace slowpath
