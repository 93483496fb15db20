// SPDX-License-Identifier: Apache-2.0
// A path test as text and as JSON.
#include "detect/path_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "report/path_test_text.h"
#include "report/schema.h"
#include "unit/report/schema_errors.h"

namespace slowpath::report {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;
using testing::Not;

PathTestFacts black_hole() {
  PathTestFacts facts;
  facts.host = "far";
  facts.peer = {.bytes = {10, 0, 0, 9}, .version = 4};
  facts.local = {.bytes = {10, 0, 0, 1}, .version = 4};
  facts.peer_missing = "connection refused";
  facts.mtu.emplace();
  facts.mtu->interface_mtu_bytes = 9000;
  SizeSweep sweep;
  sweep.kind = SizeProbeKind::udp;
  sweep.ceiling_bytes = 9000;
  sweep.largest_passed_bytes = 1400;
  sweep.smallest_failed_bytes = 1401;
  sweep.sizes = {{1400, 3, 3, 0}, {1401, 3, 0, 0}};
  sweep.finished = true;
  facts.mtu->sweeps.push_back(sweep);
  PathHop hop;
  hop.ttl = 1;
  facts.mtu->hops.push_back(hop);
  return facts;
}

/// Every part there is.
PathTestFacts everything() {
  PathTestFacts facts = black_hole();
  facts.with_peer = true;
  facts.mtu->sweeps[0].reports.push_back({facts.peer, 1400, 1, 1401, 1500, 2});
  facts.mtu->fragments.emplace_back().sent = 10;
  facts.mtu->segments.emplace_back().mss_bytes = 1448;
  facts.latency.emplace();
  facts.latency->connect.emplace().port = 443;
  facts.latency->echo.emplace();
  facts.latency->idle.emplace();
  facts.latency->loaded.emplace_back();
  facts.latency->runs.emplace_back().rate_share = 0.1;
  facts.latency->lengths.emplace_back().sizes = {{100, 10, 10}};
  facts.middlebox.emplace();
  facts.middlebox->syn_sent.known = true;
  facts.middlebox->syn_sent.options.has_window_scale = true;
  facts.middlebox->syn_seen.known = true;
  facts.idle.emplace().tried = 3;
  facts.churn.emplace().attempts = 5;
  return facts;
}

std::string text_of(const PathTestFacts& facts) {
  return path_test_text(facts, detect::diagnose_path_test(facts), {}, false);
}

TEST(PathTestText, DoesTheHeaderArithmetic) {
  const std::string text = text_of(black_hole());
  EXPECT_THAT(text, HasSubstr("UDP out: 1400 bytes pass, 1401 do not and nobody says so"));
  EXPECT_THAT(text, HasSubstr("packets of 1400 bytes are ping -M do -s 1372"));
  EXPECT_THAT(text, HasSubstr("TCP MSS of 1360 (1348 with timestamps)"));
  EXPECT_THAT(text, HasSubstr("VERDICT   pmtud-blackhole"));
}

TEST(PathTestText, SaysWhatAFarEndWouldAdd) {
  EXPECT_THAT(text_of(black_hole()), HasSubstr("with slowpath serve on 10.0.0.9"));
  EXPECT_THAT(text_of(everything()), Not(HasSubstr("with slowpath serve on")));
}

TEST(PathTestText, ShowsWhatABoxChanged) {
  const std::string text = text_of(everything());
  EXPECT_THAT(text, HasSubstr("leaves with window scale 0, arrives with no options"));
  EXPECT_THAT(text, HasSubstr("wscale-stripped"));
}

TEST(PathTestJson, KeepsItsSchema) {
  for (const PathTestFacts& facts : {black_hole(), everything(), PathTestFacts{}}) {
    const Json json = Json::parse(path_test_json(facts, detect::diagnose_path_test(facts), false));
    EXPECT_EQ(test::schema_errors(json, path_schema()), "");
  }
}

}  // namespace
}  // namespace slowpath::report
