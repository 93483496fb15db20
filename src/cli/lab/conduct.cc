// SPDX-License-Identifier: Apache-2.0
#include "cli/lab/conduct.h"

#include <sys/utsname.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/lab/workspace.h"
#include "cli/output.h"
#include "cli/signals.h"

namespace slowpath::cli {
namespace {

/// A fix that sets parameters makes the broken world anew; everything else stays as it is in force.
Result<lab::World> world_with(const ReadScenario& scenario, const Overrides& set) {
  Overrides overrides;
  for (const lab::Parameter& parameter : scenario.scenario.parameters) {
    overrides[parameter.name] = parameter.value;
  }
  for (const auto& [name, value] : set) overrides[name] = value;
  Result<ReadScenario> anew = read(scenario.source, overrides);
  if (!anew) return std::unexpected(anew.error());
  return std::move(anew->scenario.broken);
}

Result<lab::World> world_of(const ReadScenario& scenario, lab::Variant variant,
                            const lab::Fix* fix) {
  const bool heals = fix != nullptr && fix->heal;
  if (variant == lab::Variant::healthy || heals) return scenario.scenario.healthy;
  if (fix != nullptr && !fix->set.empty()) return world_with(scenario, fix->set);
  return scenario.scenario.broken;
}

}  // namespace

Result<lab::Privileges> get_ready() {
  note_stop_signals();
  if (const auto removed = remove_leftovers(); !removed.empty()) {
    complain(fmt::format("removed what a killed run had left: {}", fmt::join(removed, ", ")));
  }
  Result<lab::Privileges> privileges = lab::gain_privileges();
  if (!privileges) return privileges;
  if (!privileges->missing_programs.empty()) {
    complain(fmt::format("not found: {}; scenarios that need them cannot run",
                         fmt::join(privileges->missing_programs, ", ")));
  }
  return privileges;
}

Result<lab::RunResult> conduct(const ReadScenario& scenario, lab::Variant variant,
                               const lab::Fix* fix, const Conditions& conditions) {
  Result<lab::World> world = world_of(scenario, variant, fix);
  if (!world) return std::unexpected(world.error());
  if (conditions.snap_len != 0) world->capture.snap_len = conditions.snap_len;
  lab::RunOptions options;
  options.seed = conditions.seed;
  options.directory = conditions.directory;
  if (fix != nullptr) options.commands = fix->commands;
  options.progress = conditions.progress;
  options.stopped = [] { return stop_requested().load(); };
  Result<lab::RunResult> result = lab::run_world(*world, *conditions.privileges, options);
  if (!result || result->stopped || conditions.directory.empty()) return result;
  const Result<void> written =
      lab::write_truth(conditions.directory, scenario.scenario, variant, *world, *result);
  if (!written) return std::unexpected(written.error());
  return result;
}

std::string path_of(const lab::CaptureFile& capture, const std::string& directory) {
  if (capture.file.contains('/')) return capture.file;
  return directory + "/" + capture.file;
}

std::string kernel_name() {
  utsname name = {};
  if (uname(&name) != 0) return "unknown";
  return fmt::format("{} {} {}", name.sysname, name.release, name.machine);
}

}  // namespace slowpath::cli
