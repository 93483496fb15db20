// SPDX-License-Identifier: Apache-2.0
// Users and passwords as iperf3 has them, with a key made for the test.
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probe/digest.h"
#include "probe/iperf3/auth.h"

namespace slowpath::probe::iperf3 {
namespace {

using ::testing::HasSubstr;

class Iperf3Auth : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    EVP_PKEY* key = EVP_RSA_gen(2048);
    ASSERT_NE(key, nullptr);
    std::FILE* file = std::fopen(path("private.pem").c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    file = std::fopen(path("public.pem").c_str(), "w");
    PEM_write_PUBKEY(file, key);
    std::fclose(file);
    EVP_PKEY_free(key);
    Digest digest("sha256");
    const std::string salted = "{mario}rossi";
    digest.add(std::as_bytes(std::span(salted)));
    write_users("# users\n\nmario," + digest.hex() + "\n");
  }
  static void TearDownTestSuite() {
    for (const char* name : {"private.pem", "public.pem", "users"}) std::remove(path(name).c_str());
  }
  static std::string path(const std::string& name) {
    // Each test is a process of its own, and two run side by side.
    return ::testing::TempDir() + "iperf3_auth_test_" + std::to_string(getpid()) + "_" + name;
  }
  static void write_users(const std::string& text) { std::ofstream(path("users")) << text; }
  static std::string token(const std::string& user, const std::string& password,
                           Padding padding = Padding::pkcs1) {
    const auto made = make_auth_token({user, password, path("public.pem"), padding});
    EXPECT_TRUE(made.has_value()) << made.error().message();
    return made.value_or("");
  }
  static std::shared_ptr<const Authority> authority(double skew_s = 10) {
    auto opened = Authority::open(path("private.pem"), path("users"), skew_s);
    EXPECT_TRUE(opened.has_value()) << opened.error().message();
    return *opened;
  }
};

TEST_F(Iperf3Auth, TheRightUserIsAdmittedWithEitherPadding) {
  EXPECT_TRUE(authority()->admits(token("mario", "rossi")));
  EXPECT_TRUE(authority()->admits(token("mario", "rossi", Padding::oaep)));
}

TEST_F(Iperf3Auth, NobodyElseIs) {
  EXPECT_FALSE(authority()->admits(token("mario", "verdi")));
  EXPECT_FALSE(authority()->admits(token("luigi", "rossi")));
  EXPECT_FALSE(authority()->admits(""));
  EXPECT_FALSE(authority()->admits("not base64!"));
  EXPECT_FALSE(authority()->admits(std::string(100'000, 'A')));
  std::string damaged = token("mario", "rossi");
  damaged[20] = damaged[20] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(authority()->admits(damaged));
}

TEST_F(Iperf3Auth, AClockThatIsFarAwayIsNot) {
  EXPECT_FALSE(authority(-1)->admits(token("mario", "rossi")));
}

TEST_F(Iperf3Auth, WhatIperf3CannotReadBackIsRefused) {
  const auto blank = make_auth_token({"mario", "two words", path("public.pem"), Padding::pkcs1});
  ASSERT_FALSE(blank.has_value());
  EXPECT_THAT(blank.error().message(), HasSubstr("blanks"));
  const auto longest =
      make_auth_token({"mario", std::string(300, 'x'), path("public.pem"), Padding::pkcs1});
  ASSERT_FALSE(longest.has_value());
  EXPECT_THAT(longest.error().message(), HasSubstr("too long"));
}

TEST_F(Iperf3Auth, FilesThatAreNoneAreNamed) {
  const auto key = make_auth_token({"mario", "rossi", path("users"), Padding::pkcs1});
  ASSERT_FALSE(key.has_value());
  EXPECT_THAT(key.error().message(), HasSubstr(path("users")));
  const auto users = Authority::open(path("private.pem"), path("public.pem"), 10);
  ASSERT_FALSE(users.has_value());
  EXPECT_THAT(users.error().message(), HasSubstr("line 1"));
}

}  // namespace
}  // namespace slowpath::probe::iperf3
