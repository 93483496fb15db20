// SPDX-License-Identifier: Apache-2.0
// Which file came, as the header of an answer says it.
#include "probe/http_answer.h"

#include <string>

#include <gtest/gtest.h>

namespace slowpath::probe {
namespace {

FetchedCopy copy_of(std::initializer_list<const char*> lines) {
  FetchedCopy copy;
  for (const char* line : lines) take_header_line(copy, std::string(line) + "\r\n");
  return copy;
}

TEST(HttpAnswer, TellsTheVersionOfTheFile) {
  const FetchedCopy copy = copy_of({"HTTP/1.1 200 OK", "etag:  \"a\" ", "Last-Modified: Fri",
                                    "Accept-Ranges: bytes", "Transfer-Encoding: gzip, chunked"});
  EXPECT_EQ(copy.etag, "\"a\"");
  EXPECT_EQ(copy.last_modified, "Fri");
  EXPECT_TRUE(copy.takes_ranges);
  EXPECT_TRUE(copy.is_chunked);
}

TEST(HttpAnswer, ForgetsARedirect) {
  const FetchedCopy copy =
      copy_of({"HTTP/1.1 302 Found", "ETag: \"old\"", "", "HTTP/1.1 200 OK", "Server: new"});
  EXPECT_EQ(copy.etag, "");
  EXPECT_EQ(copy.software, "new");
  EXPECT_EQ(copy.answers, 2U);
  EXPECT_EQ(copy.header_bytes, std::string("HTTP/1.1 200 OK\r\nServer: new\r\n").size());
}

TEST(HttpAnswer, ReadsDigestsAsTheyAreWritten) {
  // SHA-256 and MD5 of nothing, as RFC 1864, RFC 3230 and RFC 9530 have them.
  const std::string sha = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  const FetchedCopy copy = copy_of(
      {"HTTP/1.1 200 OK", "Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg==",
       "Digest: unixsum=1, SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
       "Repr-Digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
       "X-Checksum-Sha256: E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"});
  ASSERT_EQ(copy.stated.size(), 4U);
  EXPECT_EQ(copy.stated[0].hex, "d41d8cd98f00b204e9800998ecf8427e");
  for (std::size_t i = 1; i < 4; ++i) EXPECT_EQ(copy.stated[i].hex, sha) << i;
}

TEST(HttpAnswer, BelievesNoNonsense) {
  const FetchedCopy copy = copy_of(
      {"HTTP/1.1 200 OK", "Content-MD5: no!", "Content-MD5: AAAA", "Digest: sha-256",
       "Digest: =,,=", "Repr-Digest: sha-256=::", ":", "no colon", "Repr-Digest: sha-256=:"});
  EXPECT_TRUE(copy.stated.empty());
}

TEST(HttpAnswer, CutsWhatIsTooLong) {
  EXPECT_LE(copy_of({("ETag: " + std::string(100'000, 'x')).c_str()}).etag.size(), 512U);
}

TEST(HttpAnswer, Base64) {
  EXPECT_EQ(hex_of_base64("AP8Q"), "00ff10");
  EXPECT_EQ(hex_of_base64("AP8="), "00ff");
  EXPECT_EQ(hex_of_base64(""), "");
  EXPECT_EQ(hex_of_base64("A-"), "");
}

}  // namespace
}  // namespace slowpath::probe
