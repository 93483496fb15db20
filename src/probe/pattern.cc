// SPDX-License-Identifier: Apache-2.0
#include "probe/pattern.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "probe/pattern_word.h"

namespace slowpath::probe {
namespace {

constexpr std::size_t kWord = 8;
// What is compared at once before the place of a difference is looked for.
constexpr std::size_t kCompared = 1024;

// A word of another key looks like one from far away: no stream is longer than 64 TiB.
constexpr std::uint64_t kFarthest = std::uint64_t{1} << 46U;

// 16 digits of the line's number, then this; together 64 bytes.
constexpr std::string_view kLine = " the quick brown fox jumps over the lazy dogs.\n ";
constexpr std::size_t kLineBytes = 64;
static_assert(kLine.size() == kLineBytes - 16);

void fill_pattern(std::span<std::byte> out, std::uint64_t offset, std::uint64_t key) {
  if (const std::size_t within = offset % kWord; within != 0 && !out.empty()) {
    const std::uint64_t value = pattern_word(offset / kWord, key) >> (8 * within);
    const std::size_t head = std::min(kWord - within, out.size());
    std::memcpy(out.data(), &value, head);
    out = out.subspan(head);
    offset += head;
  }
  const std::size_t whole = out.size() / kWord * kWord;
  fill_words(out.first(whole), offset / kWord, key);
  if (whole < out.size()) {
    const std::uint64_t value = pattern_word(offset / kWord + whole / kWord, key);
    std::memcpy(out.data() + whole, &value, out.size() - whole);
  }
}

/// Keys next to each other shall not make streams that are nearly the same (Steele, Lea and Flood,
/// "Fast splittable pseudorandom number generators", OOPSLA 2014: the finaliser of SplitMix64).
std::uint64_t scattered(std::uint64_t key) {
  key += kStep;
  key = (key ^ (key >> 30U)) * 0xbf58476d1ce4e5b9;
  key = (key ^ (key >> 27U)) * 0x94d049bb133111eb;
  return key ^ (key >> 31U);
}

void write_line(std::span<std::byte> out, std::uint64_t number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (std::size_t i = 0; i < 16; ++i)
    out[i] = static_cast<std::byte>(kDigits[(number >> (60 - 4 * i)) & 0xfU]);
  std::memcpy(out.data() + 16, kLine.data(), kLine.size());
}

void fill_text(std::span<std::byte> out, std::uint64_t offset, std::uint64_t key) {
  std::array<std::byte, kLineBytes> line{};
  while (!out.empty()) {
    const std::size_t within = offset % kLineBytes;
    const std::size_t now = std::min(kLineBytes - within, out.size());
    write_line(line, offset / kLineBytes + key);
    std::memcpy(out.data(), line.data() + within, now);
    out = out.subspan(now);
    offset += now;
  }
}

std::size_t equal_bytes(Bytes left, Bytes right) {
  return static_cast<std::size_t>(std::ranges::mismatch(left, right).in1 - left.begin());
}

}  // namespace

std::string_view to_string(ContentKind kind) {
  constexpr std::array<std::string_view, 4> kNames{"random", "text", "zeros", "file"};
  return kNames[static_cast<std::size_t>(kind)];
}

Content Content::random(std::uint64_t key, std::uint64_t period) {
  SLOWPATH_ASSERT(period % kLineBytes == 0);
  return Content{ContentKind::random, scattered(key), period};
}
Content Content::text(std::uint64_t key) { return Content{ContentKind::text, key}; }
Content Content::zeros() { return Content{ContentKind::zeros}; }
Content Content::memory(std::shared_ptr<const std::vector<std::byte>> bytes) {
  SLOWPATH_ASSERT(bytes && !bytes->empty());
  Content content{ContentKind::memory, 0, bytes->size()};
  content.bytes_ = std::move(bytes);
  return content;
}

void Content::fill_within(std::span<std::byte> out, std::uint64_t offset) const {
  switch (kind_) {
    case ContentKind::random:
      fill_pattern(out, offset, key_);
      break;
    case ContentKind::text:
      fill_text(out, offset, key_);
      break;
    case ContentKind::zeros:
      if (!out.empty()) std::memset(out.data(), 0, out.size());
      break;
    case ContentKind::memory:
      std::memcpy(out.data(), bytes_->data() + offset, out.size());
      break;
  }
}

void Content::fill(std::span<std::byte> out, std::uint64_t offset) const {
  if (period_ == 0) return fill_within(out, offset);
  while (!out.empty()) {
    const std::uint64_t within = offset % period_;
    const std::size_t now = std::min<std::uint64_t>(period_ - within, out.size());
    fill_within(out.first(now), within);
    out = out.subspan(now);
    offset += now;
  }
}

std::size_t Content::equal_within(Bytes seen, std::uint64_t offset) const {
  if (kind_ == ContentKind::memory) {
    const Bytes right = Bytes{*bytes_}.subspan(offset, seen.size());
    // Nearly always equal, which memcmp says faster than a search for the place.
    if (std::memcmp(right.data(), seen.data(), seen.size()) == 0) return seen.size();
    return equal_bytes(right, seen);
  }
  std::size_t done = 0;
  std::array<std::byte, kCompared> expected;
  // All of it at once where that is cheap, and then piece by piece, to find the place.
  const std::size_t head = std::min<std::size_t>((kWord - offset % kWord) % kWord, seen.size());
  if (kind_ == ContentKind::random && seen.size() >= head + kWord) {
    fill_within(std::span{expected}.first(head), offset);
    if (const std::size_t equal = equal_bytes(Bytes{expected}.first(head), seen.first(head));
        equal < head)
      return equal;
    done = head;
    while (done + kWord <= seen.size()) {
      // Large first: a difference is rare.
      const std::size_t left = (seen.size() - done) / kWord * kWord;
      if (words_match(seen.subspan(done, left), (offset + done) / kWord, key_)) {
        done += left;
        break;
      }
      std::size_t now = std::min(left, kCompared);
      while (words_match(seen.subspan(done, now), (offset + done) / kWord, key_)) {
        done += now;
        now = std::min((seen.size() - done) / kWord * kWord, kCompared);
      }
      break;
    }
  }
  while (done < seen.size()) {
    const std::size_t now = std::min(kCompared, seen.size() - done);
    fill_within(std::span{expected}.first(now), offset + done);
    const std::size_t equal = equal_bytes(Bytes{expected}.first(now), seen.subspan(done, now));
    done += equal;
    if (equal < now) break;
  }
  return done;
}

std::size_t Content::equal_prefix(Bytes seen, std::uint64_t offset) const {
  if (period_ == 0) return equal_within(seen, offset);
  std::size_t done = 0;
  while (done < seen.size()) {
    const std::uint64_t within = (offset + done) % period_;
    const std::size_t now = std::min<std::uint64_t>(period_ - within, seen.size() - done);
    const std::size_t equal = equal_within(seen.subspan(done, now), within);
    done += equal;
    if (equal < now) break;
  }
  return done;
}

std::optional<std::uint64_t> Content::locate(Bytes seen, std::uint64_t near) const {
  constexpr std::size_t kNeeded = 3 * kWord - 1;
  if (kind_ != ContentKind::random || seen.size() < kNeeded) return std::nullopt;
  for (std::size_t lead = 0; lead < kWord; ++lead) {
    const std::uint64_t word = index_of(load_le64(seen.data() + lead), key_);
    if (load_le64(seen.data() + lead + kWord) != pattern_word(word + 1, key_)) continue;
    const std::uint64_t at = word * kWord - lead;
    if (at >= kFarthest) continue;
    if (period_ == 0) return at;
    const std::uint64_t base = near / period_ * period_ + at % period_;
    const auto distance = [near](std::uint64_t place) {
      return place > near ? place - near : near - place;
    };
    std::uint64_t best = base;
    if (distance(base + period_) < distance(best)) best = base + period_;
    if (base >= period_ && distance(base - period_) < distance(best)) best = base - period_;
    return best;
  }
  return std::nullopt;
}

}  // namespace slowpath::probe
