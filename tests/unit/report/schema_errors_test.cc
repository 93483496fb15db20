// SPDX-License-Identifier: Apache-2.0
#include "unit/report/schema_errors.h"

#include <gtest/gtest.h>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

namespace slowpath::report::test {

std::string schema_errors(const nlohmann::json& document, std::string_view schema_text) {
  const auto schema_document = nlohmann::json::parse(schema_text);
  valijson::Schema schema;
  valijson::SchemaParser parser;
  parser.populateSchema(valijson::adapters::NlohmannJsonAdapter{schema_document}, schema);
  valijson::Validator validator;
  valijson::ValidationResults results;
  if (validator.validate(schema, valijson::adapters::NlohmannJsonAdapter{document}, &results))
    return {};
  std::string errors;
  valijson::ValidationResults::Error error;
  while (results.popError(error)) {
    for (const std::string& step : error.context) errors += step;
    errors += ": " + error.description + "\n";
  }
  return errors;
}

namespace {

TEST(SchemaErrors, AreSeen) {
  EXPECT_NE(schema_errors({{"a", "no number"}}, R"({"properties": {"a": {"type": "integer"}}})"),
            "");
  EXPECT_EQ(schema_errors({{"a", 1}}, R"({"properties": {"a": {"type": "integer"}}})"), "");
}

}  // namespace
}  // namespace slowpath::report::test
