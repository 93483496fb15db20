// SPDX-License-Identifier: Apache-2.0
// iperf3's report: laid out as iperf3 lays it out, since people look at it too.
#include "report/iperf3_json.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace slowpath::testing {
namespace {

TEST(Iperf3Json, IsIndentedByTabsAndEndsItsLastLine) {
  const std::string document = report::iperf3_to_json({}, {});
  EXPECT_TRUE(document.starts_with("{\n\t\"start\":")) << document;
  EXPECT_TRUE(document.ends_with("\n}\n")) << document;
  EXPECT_TRUE(nlohmann::json::parse(document).contains("slowpath"));
}

TEST(Iperf3Json, AnErrorIsADocumentToo) {
  const std::string document = report::iperf3_error_to_json("no route");
  EXPECT_TRUE(document.ends_with("\n}\n")) << document;
  EXPECT_EQ(nlohmann::json::parse(document).at("error"), "no route");
}

}  // namespace
}  // namespace slowpath::testing
