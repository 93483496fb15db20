// SPDX-License-Identifier: Apache-2.0
#include "probe/fetch_body.h"

#include <algorithm>
#include <cstring>

namespace slowpath::probe {

FetchBody::FetchBody(FetchStore& store, bool is_reference, KeepBudget& budget)
    : store_(store), is_reference_(is_reference), budget_(budget), reference_(kFetchBlock) {
  block_.reserve(kFetchBlock);
  digests_.emplace_back("sha256");
}

void FetchBody::want_digest(std::string_view algorithm) {
  const bool is_there = std::ranges::any_of(
      digests_, [&](const Digest& digest) { return digest.algorithm() == algorithm; });
  if (!is_there && digest_hex_len(algorithm) > 0) digests_.emplace_back(algorithm);
}

void FetchBody::add(Bytes bytes) {
  record_.bytes += bytes.size();
  for (Digest& digest : digests_) digest.add(bytes);
  if (is_reference_) store_.append(bytes);
  while (!bytes.empty()) {
    const std::size_t taken = std::min(bytes.size(), kFetchBlock - block_.size());
    block_.insert(block_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
    bytes = bytes.subspan(taken);
    if (block_.size() == kFetchBlock) end_block();
  }
}

void FetchBody::end_block() {
  const std::uint64_t index = record_.blocks.size();
  record_.blocks.push_back(block_digest(block_));
  if (!is_reference_) {
    const std::size_t there =
        store_.read(index * kFetchBlock, std::span(reference_).first(block_.size()));
    const bool is_same = std::memcmp(reference_.data(), block_.data(), there) == 0;
    // Beyond the end of the store there is nothing to tell from.
    if (!is_same && budget_.blocks > 0) {
      --budget_.blocks;
      record_.kept.push_back({index, block_});
    } else if (!is_same) {
      ++record_.left_out;
    }
  }
  block_.clear();
}

BodyRecord FetchBody::finish(std::vector<FetchDigest>& digests) {
  if (!block_.empty()) end_block();
  for (Digest& digest : digests_) digests.push_back({digest.algorithm(), digest.hex(), {}});
  return std::move(record_);
}

}  // namespace slowpath::probe
