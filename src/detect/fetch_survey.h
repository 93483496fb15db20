// SPDX-License-Identifier: Apache-2.0
// What the copies of a download say together, before their bytes are looked at. Internal to
// fetch_verdict.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "facts/fetch.h"

namespace slowpath::detect {

/// Empty where the copy has no such digest.
std::string hex_of(const FetchedCopy& copy, std::string_view algorithm);
bool is_as(const FetchedCopy& copy, const FetchDigest& digest);

/// Of downloads; uploads are passed over. Valid while the facts live.
class FetchSurvey {
 public:
  explicit FetchSurvey(const FetchFacts& facts);

  [[nodiscard]] const std::vector<const FetchedCopy*>& whole() const { return whole_; }
  [[nodiscard]] const FetchedCopy* truncated() const { return truncated_; }
  /// One whose TLS record failed its authentication.
  [[nodiscard]] const FetchedCopy* damaged() const { return damaged_; }
  [[nodiscard]] std::size_t versions() const { return versions_.size(); }
  [[nodiscard]] std::size_t as_expected() const { return expected_; }
  [[nodiscard]] bool secured() const { return secured_; }
  /// Every copy has an ETag or a date.
  [[nodiscard]] bool has_validators() const { return has_validators_; }
  [[nodiscard]] bool one_length() const { return lengths_.size() == 1; }
  [[nodiscard]] const std::set<std::string>& servers() const { return servers_; }
  [[nodiscard]] bool two_are_the_same() const { return versions_.size() < whole_.size(); }
  /// `ETag "a", then "b"`; empty where the server names one version throughout.
  [[nodiscard]] std::string change() const;
  /// The first digest that the server states and a copy does not have; or nullptr.
  [[nodiscard]] const FetchDigest* broken_promise() const;
  [[nodiscard]] bool all_keep_promises() const;

 private:
  void take(const FetchedCopy& copy, const FetchFacts& facts);

  std::vector<const FetchedCopy*> whole_;
  const FetchedCopy* truncated_ = nullptr;
  const FetchedCopy* damaged_ = nullptr;
  std::set<std::string> versions_, servers_, etags_, dates_;
  std::set<std::uint64_t> lengths_;
  std::size_t expected_ = 0;
  bool secured_ = false, has_validators_ = true;
};

}  // namespace slowpath::detect
