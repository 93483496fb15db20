// SPDX-License-Identifier: Apache-2.0
// Libraries that are loaded by who needs them. Linked ones are loaded at every start, with all that
// they need themselves: libcurl and libpcap bring thirty others, which took two thirds of the time
// of a small diagnosis.
#pragma once

#include <span>
#include <string>

#include "base/result.h"

namespace slowpath {

/// A library of the system; stays loaded until the program ends.
class SharedLibrary {
 public:
  /// The first of `names` (sonames, as "libpcap.so.0.8") that there is. Error (environment):
  /// `attempt` and the loader's sentence, with the package to install.
  static Result<SharedLibrary> load(std::span<const char* const> names, const std::string& attempt,
                                    const std::string& package);

  /// Sets `function`, a pointer to a function, to the one of that name. False, and nothing set:
  /// there is none.
  template <typename Function>
  [[nodiscard]] bool find(const char* name, Function*& function) const {
    void* const found = find(name);
    if (found == nullptr) return false;
    function = reinterpret_cast<Function*>(found);
    return true;
  }

 private:
  explicit SharedLibrary(void* handle) : handle_(handle) {}
  [[nodiscard]] void* find(const char* name) const;

  void* handle_;
};

}  // namespace slowpath
