// SPDX-License-Identifier: Apache-2.0
// Parameters: drawn as a person would write them, set by hand, put in where they stand.
#include "lab/scenario_parameters.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "base/format.h"

namespace slowpath::lab {
namespace {

std::vector<Parameter> parameters_of(std::string_view toml,
                                     const std::map<std::string, std::string>& overrides = {},
                                     Random* draw = nullptr) {
  const auto root = parse_scenario_tree("test", toml);
  EXPECT_TRUE(root) << root.error().message();
  auto parameters = read_parameters("test", root->find("parameters"), overrides, draw);
  EXPECT_TRUE(parameters) << parameters.error().message();
  return parameters.value_or(std::vector<Parameter>{});
}

std::string mistake_of(std::string_view toml,
                       const std::map<std::string, std::string>& overrides = {}) {
  const auto root = parse_scenario_tree("test", toml);
  if (!root) return root.error().message();
  const auto parameters = read_parameters("test", root->find("parameters"), overrides, nullptr);
  return parameters ? "none" : parameters.error().message();
}

TEST(draw_between, stays_between_and_keeps_the_unit) {
  Random random{7};
  for (int i = 0; i < 2000; ++i) {
    const auto drawn = draw_between("0.1ms", "200ms", true, random);
    ASSERT_TRUE(drawn);
    EXPECT_TRUE(drawn->ends_with("ms")) << *drawn;
    EXPECT_LE(drawn->size(), 7U) << *drawn;
    const auto time = parse_duration(*drawn);
    ASSERT_TRUE(time) << *drawn;
    EXPECT_GE(*time, std::chrono::microseconds{100});
    EXPECT_LE(*time, std::chrono::milliseconds{200});
  }
}

TEST(draw_between, takes_the_unit_of_the_bound_that_is_nearer) {
  Random random{7};
  std::set<std::string> units;
  for (int i = 0; i < 500; ++i) {
    const auto drawn = draw_between("8KiB", "8MiB", true, random);
    ASSERT_TRUE(drawn);
    const auto bytes = parse_size(*drawn);
    ASSERT_TRUE(bytes) << *drawn;
    EXPECT_GE(*bytes, 8U << 10U);
    EXPECT_LE(*bytes, 8U << 20U);
    units.insert(drawn->substr(drawn->size() - 3));
  }
  EXPECT_EQ(units, (std::set<std::string>{"KiB", "MiB"}));
}

TEST(draw_between, is_even_on_its_scale) {
  Random random{3};
  int below_geometric_mean = 0, below_middle = 0;
  for (int i = 0; i < 4000; ++i) {
    below_geometric_mean +=
        *parse_share(*draw_between("0.05%", "5%", true, random)) < 0.005 ? 1 : 0;
    below_middle += *parse_share(*draw_between("0%", "5%", false, random)) < 0.025 ? 1 : 0;
  }
  EXPECT_NEAR(below_geometric_mean, 2000, 150);
  EXPECT_NEAR(below_middle, 2000, 150);
}

TEST(draw_between, whole_numbers_stay_whole) {
  Random random{3};
  for (int i = 0; i < 200; ++i) {
    const auto drawn = draw_between("2", "4000", true, random);
    ASSERT_TRUE(drawn);
    EXPECT_FALSE(drawn->contains('.')) << *drawn;
  }
}

TEST(draw_between, an_exponent_makes_no_whole_number) {
  Random random{5};
  double most = 0;
  for (int i = 0; i < 50; ++i) {
    const auto drawn = draw_between("1e-7", "2e-6", true, random);
    ASSERT_TRUE(drawn);
    EXPECT_GE(std::stod(*drawn), 1e-7);
    most = std::max(most, std::stod(*drawn));
  }
  EXPECT_GT(most, 1e-6);
  EXPECT_LE(most, 2e-6);
}

TEST(draw_between, refuses_bounds_without_sense) {
  Random random{1};
  const auto why = [&](std::string_view low, std::string_view high, bool logarithmic) {
    const auto drawn = draw_between(low, high, logarithmic, random);
    return drawn ? *drawn : drawn.error().cause;
  };
  EXPECT_EQ(why("5ms", "1ms", true), "the first bound is the lower one");
  EXPECT_EQ(why("1ms", "1MiB", true), "the bounds have units that do not agree");
  EXPECT_EQ(why("0ms", "1ms", true), "a logarithmic scale has no zero: write scale = \"linear\"");
  EXPECT_EQ(why("fast", "1ms", true), "a bound begins with a number");
}

constexpr std::string_view kThree = R"(
[parameters]
rtt = { value = "20ms", draw = ["0.1ms", "200ms"] }
mtu = { value = "1500", choices = ["1500", "9000"] }
size = "20MiB"
loss = { value = "1%", draw = ["0.05%", "5%"], scale = "linear" }
)";

TEST(parameters, have_their_values_in_the_order_of_the_file) {
  const auto parameters = parameters_of(kThree);
  ASSERT_EQ(parameters.size(), 4U);
  EXPECT_EQ(parameters[0].name, "rtt");
  EXPECT_EQ(parameters[0].value, "20ms");
  EXPECT_EQ(parameters[0].high, "200ms");
  EXPECT_TRUE(parameters[0].logarithmic);
  EXPECT_EQ(parameters[1].choices, (std::vector<std::string>{"1500", "9000"}));
  EXPECT_EQ(parameters[2].value, "20MiB");
  EXPECT_FALSE(parameters[3].logarithmic);
}

TEST(parameters, are_drawn_alike_from_the_same_seed_and_whatever_else_is_set_by_hand) {
  Random first{42}, second{42}, other{43};
  const auto a = parameters_of(kThree, {}, &first);
  const auto b = parameters_of(kThree, {{"rtt", "1ms"}}, &second);
  const auto c = parameters_of(kThree, {}, &other);
  EXPECT_EQ(b[0].value, "1ms");
  EXPECT_EQ(a[1].value, b[1].value);
  EXPECT_EQ(a[3].value, b[3].value);
  EXPECT_EQ(a[2].value, "20MiB");
  EXPECT_NE(a[0].value, c[0].value);
}

TEST(parameters, both_choices_are_drawn) {
  Random random{1};
  std::set<std::string> seen;
  for (int i = 0; i < 40; ++i) seen.insert(parameters_of(kThree, {}, &random)[1].value);
  EXPECT_EQ(seen, (std::set<std::string>{"1500", "9000"}));
}

TEST(parameters, mistakes_are_refused_with_their_line) {
  EXPECT_EQ(mistake_of(kThree, {{"rrt", "1ms"}}),
            "cannot set rrt=1ms: scenario test has no such parameter; it has rtt, mtu, size, loss");
  EXPECT_EQ(mistake_of("[parameters]\nx = { value = \"1\", drawn = [\"1\", \"2\"] }"),
            "cannot read scenario test, line 2: parameter x has no key \"drawn\"; did you mean "
            "'draw'?");
  EXPECT_EQ(mistake_of("[parameters]\n\nx = { draw = [\"1\", \"2\"] }"),
            "cannot read scenario test, line 3: parameter x has no value");
  EXPECT_EQ(mistake_of("[parameters]\nx = { value = \"1\", draw = [\"1\"] }"),
            "cannot read scenario test, line 2: draw is a list of two values");
  EXPECT_EQ(mistake_of("[parameters]\nx = { value = \"1\", draw = [\"2\", \"1\"] }"),
            "cannot read scenario test, line 2: parameter x cannot be drawn between 2 and 1: the "
            "first bound is the lower one");
  EXPECT_EQ(mistake_of("[parameters]\nx = 2024-01-01"),
            "cannot read scenario test, line 2: no key has a date or time of day; write a duration "
            "as text, such as \"20ms\"");
}

TEST(substitute, puts_values_in_wherever_they_stand) {
  auto root = parse_scenario_tree("test", R"(
a = "$rtt"
list = ["x $rtt y$size", "$$rtt"]
[t]
n = 5
[parameters]
rtt = "2ms"
size = 7
)");
  ASSERT_TRUE(root);
  const auto parameters = read_parameters("test", root->find("parameters"), {}, nullptr);
  ASSERT_TRUE(parameters);
  ASSERT_TRUE(substitute_parameters("test", *parameters, *root));
  EXPECT_EQ(root->find("a")->text, "2ms");
  EXPECT_EQ(root->find("list")->items[0].text, "x 2ms y7");
  EXPECT_EQ(root->find("list")->items[1].text, "$rtt");
  EXPECT_EQ(root->find("t")->find("n")->text, "5");
}

TEST(substitute, refuses_unknown_names_and_parameters_that_stand_nowhere) {
  auto root = parse_scenario_tree("test", "a = \"1\"\nb = \"$rrt\"");
  ASSERT_TRUE(root);
  EXPECT_EQ(substitute_parameters("test", {}, *root).error().message(),
            "cannot read scenario test, line 2: there is no parameter \"$rrt\"; a dollar itself is "
            "written $$");
  root = parse_scenario_tree("test", "a = \"1\"\n[parameters]\nrtt = \"1ms\"");
  const auto parameters = read_parameters("test", root->find("parameters"), {}, nullptr);
  EXPECT_EQ(
      substitute_parameters("test", *parameters, *root).error().message(),
      "cannot read scenario test, line 3: parameter rtt is used nowhere; write \"$rtt\" where "
      "it belongs");
}

}  // namespace
}  // namespace slowpath::lab
