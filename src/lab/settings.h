// SPDX-License-Identifier: Apache-2.0
// The keys of one table of a scenario as a stage, host or transfer reads them: by name and by unit.
// What nobody asked for is left over, and is the scenario writer's mistake.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace slowpath::lab {

/// Values are text as people write them ("20ms", "0.5%", "1M", "true"); parameters are already put
/// in. The first value that cannot be read makes error() true to its name; getters then return the
/// fallback.
class Settings {
 public:
  Settings() = default;
  Settings(std::string where, std::map<std::string, std::string> values)
      : where_(std::move(where)), values_(std::move(values)) {}

  [[nodiscard]] bool has(const std::string& key) const { return values_.contains(key); }
  std::string text(const std::string& key, std::string fallback = {});
  /// One of `choices`; anything else is an error that lists them.
  std::string choice(const std::string& key, std::string fallback,
                     const std::vector<std::string>& choices);
  bool flag(const std::string& key, bool fallback = false);
  std::int64_t number(const std::string& key, std::int64_t fallback, std::int64_t low = 0,
                      std::int64_t high = INT64_MAX);
  Duration duration(const std::string& key, Duration fallback = Duration{0});
  std::uint64_t bytes(const std::string& key, std::uint64_t fallback = 0);  // "64KiB"
  double rate_bps(const std::string& key, double fallback = 0);             // "10Mbit/s"
  double share(const std::string& key, double fallback = 0);                // "1%", 0..1

  /// Where in the scenario: "stage 3 (loss)". Used in messages.
  [[nodiscard]] const std::string& where() const { return where_; }
  [[nodiscard]] const std::map<std::string, std::string>& values() const { return values_; }
  /// The first value that could not be read, or a key that nobody asked for; call after reading
  /// all.
  [[nodiscard]] Result<void> check() const;

 private:
  const std::string* find(const std::string& key);
  void complain(const std::string& key, const std::string& why);

  std::string where_;
  std::map<std::string, std::string> values_;
  std::set<std::string> asked_;
  std::optional<Error> error_;
};

}  // namespace slowpath::lab
