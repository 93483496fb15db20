// SPDX-License-Identifier: Apache-2.0
// The checker is in one of two states: in place, or displaced by so many bytes. Each piece is first
// compared as the state expects. Where it differs, (1) the bytes may be in place again; (2) they
// may tell where they belong, and the state changes; (3) else they are noted as they are.
#include "probe/checker.h"

#include <algorithm>
#include <array>

namespace slowpath::probe {
namespace {

// Two stretches with fewer equal bytes between them are one.
constexpr std::uint64_t kApart = 64;
// Looked at one by one around a difference.
constexpr std::size_t kWindow = 256;
// Once so much is wrong, a change of place is looked for at the beginning of a window only: the
// search must not become the limit of what it measures.
constexpr std::uint64_t kSearched = std::uint64_t{1} << 20U;
// As many must be right for a change of place to be believed.
constexpr std::size_t kProof = 24;

}  // namespace

std::uint64_t Checker::belongs_at(std::int64_t displaced_by) const {
  return facts_.checked_bytes + static_cast<std::uint64_t>(displaced_by);
}

void Checker::accept(std::size_t count) { facts_.checked_bytes += count; }

std::optional<std::int64_t> Checker::displacement_of(Bytes rest) const {
  const Bytes proof = rest.first(std::min(kProof, rest.size()));
  if (facts_.displaced_by != 0 && proof.size() == kProof &&
      content_.equal_prefix(proof, belongs_at(0)) == kProof)
    return 0;
  const auto at = content_.locate(rest, facts_.checked_bytes);
  if (!at) return std::nullopt;
  return static_cast<std::int64_t>(*at - facts_.checked_bytes);
}

ContentDifference* Checker::open_stretch(std::uint64_t at) {
  const bool goes_on = facts_.places > 0 && at < last_wrong_ + kApart;
  if (!goes_on) {
    ++facts_.places;
    if (facts_.differences.size() < IntegrityFacts::kKept) {
      facts_.differences.emplace_back();
      facts_.differences.back().offset = at;
    }
  }
  return facts_.places <= IntegrityFacts::kKept ? &facts_.differences.back() : nullptr;
}

// `seen` begins and ends with a byte that differs from what belongs at its place.
void Checker::note(Bytes seen, std::optional<std::uint64_t> found_at) {
  const std::uint64_t at = facts_.checked_bytes;
  ContentDifference* stretch = open_stretch(at);
  std::array<std::byte, kWindow> expected;
  std::uint64_t differing = 0;
  for (std::size_t done = 0; done < seen.size(); done += kWindow) {
    const Bytes part = seen.subspan(done, std::min(kWindow, seen.size() - done));
    content_.fill(std::span{expected}.first(part.size()), at + done);
    for (std::size_t i = 0; i < part.size(); ++i) differing += part[i] != expected[i] ? 1U : 0U;
  }
  facts_.differing_bytes += differing;
  last_wrong_ = at + seen.size();
  if (stretch == nullptr) return;
  stretch->differing += differing;
  stretch->length = last_wrong_ - stretch->offset;
  if (!stretch->found_at) stretch->found_at = found_at;
  // The excerpt: what was equal between two stretches, too.
  const std::uint64_t have = stretch->offset + stretch->seen.size();
  if (have > at || stretch->length > ContentDifference::kExcerptBytes + seen.size()) return;
  const std::size_t room = ContentDifference::kExcerptBytes - stretch->seen.size();
  const std::size_t gap = std::min<std::uint64_t>(at - have, room);
  const std::size_t now = std::min(seen.size(), room - gap);
  stretch->expected.resize(stretch->expected.size() + gap + now);
  content_.fill(std::span{stretch->expected}.last(gap + now), have);
  stretch->seen.resize(stretch->seen.size() + gap);
  content_.fill(std::span{stretch->seen}.last(gap), have);
  stretch->seen.insert(stretch->seen.end(), seen.begin(), seen.begin() + static_cast<long>(now));
}

// The first byte of `rest` is wrong. Returns how many bytes have been dealt with, at least one.
std::size_t Checker::look_at_difference(Bytes rest) {
  if (const auto displaced_by = displacement_of(rest);
      displaced_by && *displaced_by != facts_.displaced_by) {
    facts_.displaced_by = *displaced_by;
    return 0;
  }
  std::array<std::byte, kWindow> expected;
  const Bytes window = rest.first(std::min(kWindow, rest.size()));
  content_.fill(std::span{expected}.first(window.size()), belongs_at(facts_.displaced_by));
  // Up to a few equal bytes in a row: what follows may have another cause.
  std::size_t length = 0, equal = 0;
  for (std::size_t i = 0; i < window.size() && equal < 8; ++i) {
    equal = window[i] == expected[i] ? equal + 1 : 0;
    if (equal == 0) length = i + 1;
    // A change of place within: the bytes from there on tell.
    if (equal == 0 && i > 0 && facts_.differing_bytes < kSearched &&
        content_.locate(rest.subspan(i), facts_.checked_bytes + i)) {
      length = i;
      break;
    }
  }
  note(window.first(length), std::nullopt);
  return length;
}

void Checker::take(Bytes piece) {
  while (!piece.empty()) {
    const std::size_t equal = content_.equal_prefix(piece, belongs_at(facts_.displaced_by));
    if (equal > 0 && facts_.displaced_by != 0)
      note(piece.first(equal), belongs_at(facts_.displaced_by));
    accept(equal);
    piece = piece.subspan(equal);
    if (piece.empty()) break;
    const std::size_t dealt_with = look_at_difference(piece);
    accept(dealt_with);
    piece = piece.subspan(dealt_with);
  }
}

}  // namespace slowpath::probe
