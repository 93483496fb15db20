// SPDX-License-Identifier: Apache-2.0
// The table of what is normal: complete, and pointing at faults that exist.
#include "facts/non_faults.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "facts/catalogue.h"
#include "support/shared.h"

namespace slowpath {
namespace {

TEST(non_faults, have_unique_ids_apart_from_those_of_faults) {
  std::set<std::string_view> ids;
  for (const NonFault& normal : all_non_faults()) {
    EXPECT_TRUE(normal.id.starts_with("nf-")) << normal.id;
    EXPECT_TRUE(ids.insert(normal.id).second) << normal.id;
    EXPECT_EQ(find_fault(normal.id), nullptr) << normal.id;
    EXPECT_EQ(find_non_fault(normal.id), &normal);
  }
  EXPECT_EQ(find_non_fault("nf-"), nullptr);
  EXPECT_EQ(find_non_fault("random-loss"), nullptr);
}

TEST(non_faults, mean_one_sentence_each) {
  for (const NonFault& normal : all_non_faults()) {
    EXPECT_TRUE(normal.meaning.ends_with('.')) << normal.id;
    EXPECT_EQ(normal.meaning.find(". "), std::string_view::npos) << normal.id;
    EXPECT_FALSE(normal.looks_like.empty()) << normal.id;
    EXPECT_FALSE(normal.how_recognised.empty()) << normal.id;
  }
}

TEST(non_faults, must_not_hide_faults_that_exist) {
  for (const NonFault& normal : all_non_faults()) {
    std::string_view text = normal.must_not_hide;
    EXPECT_FALSE(text.empty()) << normal.id;
    while (text.contains('`')) {
      text.remove_prefix(text.find('`') + 1);
      const auto id = text.substr(0, text.find('`'));
      EXPECT_NE(find_fault(id), nullptr) << normal.id << " names " << id;
      text.remove_prefix(id.size() + 1);
    }
  }
}

TEST(non_faults, are_those_of_the_reference) {
  const auto file = testing::shared_dir() / "reference" / "non-faults.md";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no " << file << " beside the repository";
  std::ifstream stream{file};
  std::vector<std::string> ids;
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with("| nf-")) ids.push_back(line.substr(2, line.find(' ', 2) - 2));
  }
  // The program knows a few more than the reference lists; they stand behind.
  ASSERT_LE(ids.size(), all_non_faults().size());
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(all_non_faults()[i].id, ids[i]);
}

}  // namespace
}  // namespace slowpath
