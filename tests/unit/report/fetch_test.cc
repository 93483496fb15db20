// SPDX-License-Identifier: Apache-2.0
// The answer of a download, as text and as JSON that keeps its schema.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "report/fetch_json.h"
#include "report/fetch_text.h"
#include "report/schema.h"
#include "unit/report/schema_errors.h"

namespace slowpath::report {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;
using testing::Not;

FetchFacts troubled() {
  FetchFacts facts;
  facts.url = "http://[2001:db8::1]/x";
  facts.repeats = 3;
  facts.expected = FetchDigest{"md5", "00", "--expect"};
  for (const char* hash : {"aa", "bb", "aa"}) {
    FetchedCopy& copy = facts.copies.emplace_back();
    copy.status = 200;
    copy.server = "2001:db8::1";
    copy.server_port = 80;
    copy.etag = "\"v\x1b[31m\xff\"";
    copy.bytes = copy.header_bytes = 1000;
    copy.total_s = 0.5;
    copy.digests = {{"sha256", hash, ""}};
    copy.tcp.known = true;
  }
  FetchDifference& difference = facts.differences.emplace_back();
  difference.copy = 1;
  difference.expected.assign(200, std::byte{1});
  difference.seen = difference.expected;
  difference.seen[50] = std::byte{3};
  difference.first = difference.last = 50;
  difference.differing = 1;
  facts.packets.push_back({.difference = 0,
                           .frame = 7,
                           .checksum_good = true,
                           .checksum_known = true,
                           .carried_wrong = true});
  return facts;
}

TEST(FetchReport, KeepsItsSchema) {
  for (const FetchFacts& facts : {troubled(), FetchFacts{}}) {
    const Json document = Json::parse(fetch_to_json(facts, detect::judge_fetch(facts)));
    EXPECT_EQ(test::schema_errors(document, fetch_schema()), "");
  }
  EXPECT_EQ(test::schema_errors(Json::parse(fetch_error_to_json("no")), fetch_schema()), "");
}

TEST(FetchReport, SaysWhereAndWhat) {
  const FetchFacts facts = troubled();
  const std::string text = fetch_to_text(facts, detect::judge_fetch(facts), {});
  EXPECT_THAT(text, HasSubstr("copy 2, offset 50"));
  EXPECT_THAT(text, HasSubstr("from [2001:db8::1]:80"));
  EXPECT_THAT(text, HasSubstr("frame 7"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace slowpath::report
