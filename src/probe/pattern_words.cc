// SPDX-License-Identifier: Apache-2.0
// The pattern's words (pattern.h), plain and with AVX2. The vector loops hold four words in each
// register and four registers in flight: one addition makes the next vector.
#include <array>
#include <cstring>

#include "base/assert.h"
#include "probe/pattern.h"
#include "probe/pattern_word.h"

namespace slowpath::probe {
namespace {

#if defined(__x86_64__)
#define SLOWPATH_HAS_AVX2 1

using Words = std::uint64_t __attribute__((vector_size(32), aligned(32)));
using LooseWords = std::uint64_t __attribute__((vector_size(32), aligned(1), may_alias));
constexpr std::size_t kRegisters = 4;
constexpr std::size_t kWordsEach = 4;
constexpr std::size_t kStride = kRegisters * kWordsEach * sizeof(std::uint64_t);  // 128 bytes

// How many strides are compared before the result is looked at.
constexpr std::size_t kStridesAtOnce = 8;

struct Counters {
  Words at[kRegisters];
};

__attribute__((target("avx2"))) inline Counters counters_from(std::uint64_t word,
                                                              std::uint64_t key) {
  Counters counters;
  for (std::size_t r = 0; r < kRegisters; ++r) {
    for (std::size_t lane = 0; lane < kWordsEach; ++lane)
      counters.at[r][lane] = (word + r * kWordsEach + lane) * kStep + key;
  }
  return counters;
}

constexpr std::uint64_t kStrideStep = kRegisters * kWordsEach * kStep;

__attribute__((target("avx2"))) void fill_avx2(std::byte* out, std::size_t strides,
                                               std::uint64_t word, std::uint64_t key) {
  const Words step = {kStrideStep, kStrideStep, kStrideStep, kStrideStep};
  Counters counters = counters_from(word, key);
  for (; strides > 0; --strides, out += kStride) {
#pragma GCC unroll 4
    for (std::size_t r = 0; r < kRegisters; ++r) {
      const Words mixed = counters.at[r] ^ (counters.at[r] >> 32);
      *reinterpret_cast<LooseWords*>(out + r * sizeof(Words)) = mixed;
      counters.at[r] += step;
    }
  }
}

__attribute__((target("avx2"))) bool match_avx2(const std::byte* seen, std::size_t strides,
                                                std::uint64_t word, std::uint64_t key) {
  const Words step = {kStrideStep, kStrideStep, kStrideStep, kStrideStep};
  Counters counters = counters_from(word, key);
  while (strides > 0) {
    const std::size_t now = strides < kStridesAtOnce ? strides : kStridesAtOnce;
    strides -= now;
    Words wrong[kRegisters] = {};
    for (std::size_t i = 0; i < now; ++i, seen += kStride) {
#pragma GCC unroll 4
      for (std::size_t r = 0; r < kRegisters; ++r) {
        const Words there = *reinterpret_cast<const LooseWords*>(seen + r * sizeof(Words));
        wrong[r] |= there ^ counters.at[r] ^ (counters.at[r] >> 32);
        counters.at[r] += step;
      }
    }
    const Words any = (wrong[0] | wrong[1]) | (wrong[2] | wrong[3]);
    if ((any[0] | any[1] | any[2] | any[3]) != 0) return false;
  }
  return true;
}

bool has_avx2() {
  static const bool is_there = __builtin_cpu_supports("avx2") != 0;
  return is_there;
}
#endif

}  // namespace

void fill_words_plain(std::span<std::byte> out, std::uint64_t word, std::uint64_t key) {
  SLOWPATH_ASSERT(out.size() % 8 == 0);
  for (std::size_t at = 0; at < out.size(); at += 8, ++word) {
    const std::uint64_t value = pattern_word(word, key);
    std::memcpy(out.data() + at, &value, 8);
  }
}

bool words_match_plain(Bytes seen, std::uint64_t word, std::uint64_t key) {
  SLOWPATH_ASSERT(seen.size() % 8 == 0);
  for (std::size_t at = 0; at < seen.size(); at += 8, ++word) {
    if (load_le64(seen.data() + at) != pattern_word(word, key)) return false;
  }
  return true;
}

void fill_words(std::span<std::byte> out, std::uint64_t word, std::uint64_t key) {
#ifdef SLOWPATH_HAS_AVX2
  if (has_avx2()) {
    const std::size_t strides = out.size() / kStride;
    fill_avx2(out.data(), strides, word, key);
    out = out.subspan(strides * kStride);
    word += strides * (kStride / 8);
  }
#endif
  fill_words_plain(out, word, key);
}

bool words_match(Bytes seen, std::uint64_t word, std::uint64_t key) {
#ifdef SLOWPATH_HAS_AVX2
  if (has_avx2()) {
    const std::size_t strides = seen.size() / kStride;
    if (!match_avx2(seen.data(), strides, word, key)) return false;
    seen = seen.subspan(strides * kStride);
    word += strides * (kStride / 8);
  }
#endif
  return words_match_plain(seen, word, key);
}

}  // namespace slowpath::probe
