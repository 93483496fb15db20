// SPDX-License-Identifier: Apache-2.0
#include "detect/fetch_survey.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace slowpath::detect {

std::string hex_of(const FetchedCopy& copy, std::string_view algorithm) {
  const auto found = std::ranges::find(copy.digests, algorithm, &FetchDigest::algorithm);
  return found == copy.digests.end() ? std::string{} : found->hex;
}

bool is_as(const FetchedCopy& copy, const FetchDigest& digest) {
  return hex_of(copy, digest.algorithm) == digest.hex;
}

FetchSurvey::FetchSurvey(const FetchFacts& facts) {
  for (const FetchedCopy& copy : facts.copies) {
    if (copy.is_upload) continue;
    if (copy.end == FetchEnd::complete) take(copy, facts);
    if (copy.end == FetchEnd::tls_damaged) damaged_ = &copy;
    if (copy.end == FetchEnd::truncated || copy.end == FetchEnd::stalled) truncated_ = &copy;
  }
}

void FetchSurvey::take(const FetchedCopy& copy, const FetchFacts& facts) {
  whole_.push_back(&copy);
  versions_.insert(hex_of(copy, "sha256"));
  lengths_.insert(copy.bytes);
  servers_.insert(copy.server);
  etags_.insert(copy.etag);
  dates_.insert(copy.last_modified);
  secured_ = secured_ || !copy.tls_version.empty();
  if (copy.etag.empty() && copy.last_modified.empty()) has_validators_ = false;
  if (facts.expected && is_as(copy, *facts.expected)) ++expected_;
}

std::string FetchSurvey::change() const {
  if (etags_.size() > 1) return fmt::format("ETag {}", fmt::join(etags_, ", then "));
  if (dates_.size() > 1) return fmt::format("Last-Modified {}", fmt::join(dates_, ", then "));
  return {};
}

const FetchDigest* FetchSurvey::broken_promise() const {
  for (const FetchedCopy* copy : whole_) {
    for (const FetchDigest& digest : copy->stated) {
      if (!is_as(*copy, digest)) return &digest;
    }
  }
  return nullptr;
}

bool FetchSurvey::all_keep_promises() const {
  return !whole_.empty() && broken_promise() == nullptr &&
         std::ranges::none_of(whole_, [](const FetchedCopy* it) { return it->stated.empty(); });
}

}  // namespace slowpath::detect
