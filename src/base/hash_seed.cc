// SPDX-License-Identifier: Apache-2.0
#include "base/hash_seed.h"

#include <sys/auxv.h>
#include <sys/random.h>

#include <cstring>

namespace slowpath {
namespace {

HashSeed make_seed() {
  HashSeed seed{0x9e3779b97f4a7c15U, 0xc2b2ae3d27d4eb4fU};
  if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) == static_cast<long>(sizeof seed)) return seed;
  // Early at boot, or forbidden: what the kernel gave the process when it began (getauxval(3)).
  const auto* const given = reinterpret_cast<const void*>(getauxval(AT_RANDOM));
  if (given != nullptr) std::memcpy(&seed, given, sizeof seed);
  return seed;
}

}  // namespace

const HashSeed kHashSeed = make_seed();

}  // namespace slowpath
