// SPDX-License-Identifier: Apache-2.0
// How a kind makes its stage out of its table: required keys, the stage's own judgement, leftovers.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>

#include <fmt/core.h>

#include "base/result.h"
#include "lab/settings.h"
#include "lab/stage.h"

namespace slowpath::lab {

/// Makes a one-way stage `S` with S(Settings&). Errors, all of usage: a key of `required` is
/// missing, a value cannot be read, a key nobody asked for, or what S::complaint() says where it
/// has one ("rate must be above 0"; empty if all is well).
template <typename S>
Result<StagePair> make_stage(Settings& settings, std::initializer_list<const char*> required = {}) {
  auto stage = std::make_unique<S>(settings);
  if (auto checked = settings.check(); !checked) return std::unexpected(checked.error());
  for (const char* key : required) {
    if (settings.has(key)) continue;
    return fail(ErrorKind::usage, fmt::format("cannot make {}", settings.where()),
                fmt::format("it lacks the key {}", key));
  }
  if constexpr (requires { stage->complaint(); }) {
    if (const std::string complaint = stage->complaint(); !complaint.empty()) {
      return fail(ErrorKind::usage, fmt::format("cannot make {}", settings.where()), complaint);
    }
  }
  return StagePair{.forward = std::move(stage), .backward = nullptr};
}

}  // namespace slowpath::lab
