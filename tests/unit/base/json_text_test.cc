// SPDX-License-Identifier: Apache-2.0
#include "base/json_text.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace slowpath {
namespace {

TEST(JsonText, KeepsTheOrderAndComesBack) {
  const nlohmann::ordered_json json{{"z", 1}, {"a", {2.5, "x"}}};
  EXPECT_EQ(json_text(json), R"({"z":1,"a":[2.5,"x"]})");
  EXPECT_EQ(json_text(json["z"]), "1");
  EXPECT_EQ(parse_ordered_json(json_text(json)), json);
  EXPECT_EQ(parse_json(json_text(json)), nlohmann::json(json));
}

TEST(JsonText, ReplacesWhatIsNoUtf8) {
  const nlohmann::ordered_json json = std::string("a\xff") + "b";
  EXPECT_EQ(json_text(json),
            "\"a\xef\xbf\xbd"
            "b\"");
}

TEST(JsonText, SaysWhereATextIsNone) {
  EXPECT_TRUE(parse_json("").is_discarded());
  EXPECT_TRUE(parse_ordered_json("{\"a\":").is_discarded());
  EXPECT_TRUE(parse_ordered_json("{} {}").is_discarded());
}

}  // namespace
}  // namespace slowpath
