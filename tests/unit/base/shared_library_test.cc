// SPDX-License-Identifier: Apache-2.0
// Libraries loaded by who needs them: the first of several names, its functions, and what is said
// where there is none.
#include "base/shared_library.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace slowpath::test {
namespace {

TEST(SharedLibrary, TheFirstNameThatThereIsServes) {
  constexpr std::array<const char*, 2> kNames{"libnobody-has-this.so.1", "libm.so.6"};
  const auto library = SharedLibrary::load(kNames, "cannot calculate", "libc6");
  ASSERT_TRUE(library);
  double (*cosine)(double) = nullptr;
  ASSERT_TRUE(library->find("cos", cosine));
  EXPECT_EQ(cosine(0.0), 1.0);
  EXPECT_FALSE(library->find("nobody_has_this", cosine));
  EXPECT_EQ(cosine(0.0), 1.0);
}

TEST(SharedLibrary, AMissingOneIsNamedWithItsPackage) {
  constexpr std::array<const char*, 1> kNames{"libnobody-has-this.so.1"};
  const auto library = SharedLibrary::load(kNames, "cannot calculate", "libnobody1");
  ASSERT_FALSE(library);
  EXPECT_EQ(library.error().kind, ErrorKind::environment);
  EXPECT_EQ(library.error().message().find("cannot calculate: libnobody-has-this.so.1: "), 0u);
  EXPECT_NE(library.error().message().find("; install libnobody1"), std::string::npos);
}

}  // namespace
}  // namespace slowpath::test
