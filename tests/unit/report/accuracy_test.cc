// SPDX-License-Identifier: Apache-2.0
#include "report/accuracy.h"

#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/accuracy_tables.h"

namespace slowpath::report {
namespace {

using testing::HasSubstr;
using testing::Not;

GradedCapture capture(std::vector<std::string> truth, const std::string& verdict, bool accepted) {
  GradedCapture graded;
  graded.scenario = "scenario";
  graded.family = "window";
  graded.variant = truth.empty() ? "healthy" : "broken";
  graded.point = "server";
  graded.truth = std::move(truth);
  graded.accepted = {"rwnd-limited"};
  graded.verdict = verdict;
  graded.is_accepted = accepted;
  return graded;
}

TEST(Accuracy, counts_verdicts_by_true_fault) {
  const std::vector<GradedCapture> captures{
      capture({"rwnd-limited"}, "rwnd-limited", true), capture({"rwnd-limited"}, "unclear", false),
      capture({"rwnd-limited"}, "rwnd-limited", true), capture({}, "healthy", true)};
  const Accuracy accuracy = summarise(captures);
  EXPECT_EQ(accuracy.faulty, 3U);
  EXPECT_EQ(accuracy.faulty_accepted, 2U);
  EXPECT_NEAR(accuracy.accepted_share(), 2.0 / 3, 1e-9);
  EXPECT_EQ(accuracy.healthy, 1U);
  EXPECT_EQ(accuracy.healthy_alarms, 0U);
  ASSERT_EQ(accuracy.rows.size(), 2U);
  EXPECT_EQ(accuracy.rows[0].truth, "rwnd-limited");
  EXPECT_EQ(accuracy.rows[0].verdicts.at("unclear"), 1U);
  EXPECT_EQ(accuracy.rows[1].truth, "healthy") << "healthy worlds come last";
}

TEST(Accuracy, unclear_and_healthy_have_columns_of_their_own_where_they_occur) {
  const std::vector<GradedCapture> clear{capture({"rwnd-limited"}, "rwnd-limited", true)};
  EXPECT_THAT(confusion_table(summarise(clear)).text(100), Not(HasSubstr("unclear")));
  const std::vector<GradedCapture> unclear{capture({"rwnd-limited"}, "unclear", true)};
  const std::string text = confusion_table(summarise(unclear)).text(100);
  EXPECT_THAT(text, HasSubstr("unclear"));
  EXPECT_THAT(text, Not(HasSubstr("unclear 1"))) << "not among the faults";
  EXPECT_THAT(text, Not(HasSubstr("healthy")));
}

TEST(Accuracy, runs_are_counted_by_scenario_and_those_without_one_are_named) {
  std::vector<GradedCapture> captures(4, capture({"rwnd-limited"}, "rwnd-limited", true));
  captures[1].point = "client";  // of the same run
  captures[2].seed = 7;
  captures[3].seed = 8;
  captures[3].void_because = {"frames were lost"};
  const Accuracy accuracy = summarise(captures);
  EXPECT_EQ(accuracy.draws, (std::map<std::string, std::uint64_t>{{"scenario", 2}}));
  MatrixOrigin origin;
  origin.scenarios = {"scenario", "left-out", "too-late"};
  const std::string text = accuracy_markdown(accuracy, origin);
  EXPECT_THAT(text, HasSubstr("- 0 × each of 2: left-out, too-late\n- 2 × each of 1: scenario\n"));
}

TEST(Accuracy, a_fault_named_in_a_healthy_world_is_an_alarm) {
  GradedCapture twin = capture({}, "random-loss", false);
  twin.false_alarms = {"random-loss"};
  const Accuracy accuracy = summarise(std::vector{twin});
  EXPECT_EQ(accuracy.healthy_alarms, 1U);
  EXPECT_EQ(accuracy.false_alarms.begin()->first, "scenario (healthy twin) at server: random-loss");
  EXPECT_THAT(accuracy_text(accuracy, 100), HasSubstr("a fault is named in 1"));
}

TEST(Accuracy, captures_that_tell_less_are_counted_apart) {
  std::vector<GradedCapture> captures(5, capture({"rwnd-limited"}, "rwnd-limited", true));
  for (std::size_t i = 1; i < captures.size(); ++i) captures[i].lessened = "begun-late";
  captures[2].verdict = "unclear";
  captures[3].verdict = "healthy";
  captures[4].verdict = "random-loss";
  captures[4].false_alarms = {"random-loss"};
  captures[4].findings = {{"random-loss", Severity::fault, 0.85, false}};
  captures.push_back(capture({}, "healthy", true));
  captures.back().lessened = "begun-late";
  const Accuracy accuracy = summarise(captures);
  EXPECT_EQ(accuracy.faulty, 1U);
  EXPECT_EQ(accuracy.healthy, 0U);
  EXPECT_EQ(accuracy.bins[8].count, 0U);
  EXPECT_EQ(accuracy.lessened_bins[8].count, 1U);
  EXPECT_TRUE(accuracy.false_alarms.empty());
  ASSERT_EQ(accuracy.lessened.size(), 1U);
  const LessenedRow& row = accuracy.lessened[0];
  EXPECT_EQ(std::tuple(row.faulty, row.right, row.unclear, row.called_healthy, row.wrong),
            std::tuple(4U, 1U, 1U, 1U, 1U));
  EXPECT_EQ(std::tuple(row.healthy, row.alarms), std::tuple(1U, 0U));
  const std::string text = accuracy_text(accuracy, 100);
  EXPECT_THAT(text, HasSubstr("Of 4 captures of broken worlds that tell less, 1 name a fault "
                              "rightly and 1 wrongly; of 1 of healthy worlds 0 name a fault."));
  EXPECT_THAT(text, HasSubstr("1 x scenario at server, begun-late: random-loss"));
  EXPECT_THAT(accuracy_markdown(accuracy, {}), HasSubstr("\n## Captures that tell less\n"));
}

TEST(Accuracy, void_runs_count_for_nothing) {
  GradedCapture nothing = capture({"rwnd-limited"}, "", false);
  nothing.void_because = {"3 frames were not taken by client"};
  const Accuracy accuracy = summarise(std::vector{nothing});
  EXPECT_EQ(accuracy.void_runs, 1U);
  EXPECT_EQ(accuracy.faulty, 0U);
  EXPECT_TRUE(accuracy.rows.empty());
}

TEST(Accuracy, calibration_counts_faults_and_suspects) {
  GradedCapture graded = capture({"rwnd-limited"}, "rwnd-limited", true);
  graded.findings = {{"rwnd-limited", Severity::fault, 0.92, true},
                     {"random-loss", Severity::fault, 0.98, false},
                     {"reordering", Severity::suspect, 0.85, false},
                     {"short-flow", Severity::note, 0.85, true},
                     {"rwnd-limited", Severity::fault, 1.0, true}};
  const Accuracy accuracy = summarise(std::vector{graded});
  EXPECT_EQ(accuracy.bins[9].count, 3U) << "1 is in the last tenth";
  EXPECT_NEAR(accuracy.bins[9].stated(), 2.9 / 3, 1e-9);
  EXPECT_NEAR(accuracy.bins[9].observed(), 2.0 / 3, 1e-9);
  EXPECT_EQ(accuracy.bins[9].suspects, 0U);
  EXPECT_EQ(accuracy.bins[8].count, 1U);
  EXPECT_EQ(accuracy.bins[8].suspects, 1U);
  EXPECT_EQ(accuracy.bins[8].observed(), 0);
}

TEST(Accuracy, window_time_is_a_share_of_the_kernels_busy_time) {
  GradedCapture graded = capture({"rwnd-limited"}, "rwnd-limited", true);
  graded.kernel = KernelAccount{.busy_s = 2, .rwnd_limited_s = 1.9, .sndbuf_limited_s = 0};
  graded.ours[TimeOwner::handshake] = 1;
  graded.ours[TimeOwner::application] = 5;
  graded.ours[TimeOwner::receive_window] = 1.5;
  graded.ours[TimeOwner::zero_window] = 0.3;
  graded.ours[TimeOwner::slow_start] = 0.2;
  const Accuracy accuracy = summarise(std::vector{graded});
  ASSERT_EQ(accuracy.accounts.size(), 1U);
  EXPECT_NEAR(accuracy.accounts[0].kernel_window, 0.95, 1e-9);
  EXPECT_NEAR(accuracy.accounts[0].our_window, 0.9, 1e-9);
  EXPECT_THAT(accuracy_markdown(accuracy, {}), HasSubstr("| -5.0 |"));
}

TEST(Accuracy, what_the_kernel_counts_while_a_loss_is_repaired_is_no_difference) {
  GradedCapture graded = capture({"rwnd-limited"}, "rwnd-limited", true);
  graded.kernel = KernelAccount{.busy_s = 10, .rwnd_limited_s = 9, .sndbuf_limited_s = 0};
  graded.ours[TimeOwner::receive_window] = 1;
  graded.ours[TimeOwner::timeout] = 8.5;
  const Accuracy hidden = summarise(std::vector{graded});
  ASSERT_EQ(hidden.accounts.size(), 1U);
  EXPECT_DOUBLE_EQ(hidden.accounts[0].apart(), 0);
  graded.ours[TimeOwner::timeout] = 6;
  EXPECT_NEAR(summarise(std::vector{graded}).accounts.at(0).apart(), -0.2, 1e-9);
  graded.ours[TimeOwner::receive_window] = 9.5;
  EXPECT_NEAR(summarise(std::vector{graded}).accounts.at(0).apart(), 0.05, 1e-9);
}

TEST(Accuracy, a_transfer_of_a_few_of_the_kernels_ticks_is_counted_and_not_compared) {
  GradedCapture graded = capture({}, "healthy", true);
  graded.kernel = KernelAccount{.busy_s = 0.036, .rwnd_limited_s = 0.004};
  graded.ours[TimeOwner::slow_start] = 0.036;
  const Accuracy accuracy = summarise(std::vector{graded});
  EXPECT_TRUE(accuracy.accounts.empty());
  EXPECT_EQ(accuracy.too_short_accounts, 1U);
}

TEST(Accuracy, a_capture_that_saw_little_of_a_transfer_is_counted_and_not_compared) {
  GradedCapture graded = capture({"pmtud-blackhole"}, "unclear", true);
  graded.kernel = KernelAccount{.busy_s = 8, .rwnd_limited_s = 8};
  graded.ours[TimeOwner::handshake] = 0.1;
  const Accuracy accuracy = summarise(std::vector{graded});
  EXPECT_TRUE(accuracy.accounts.empty());
  EXPECT_EQ(accuracy.unseen_accounts, 1U);
}

TEST(Accuracy, a_line_comes_back_as_it_was) {
  GradedCapture graded = capture({"rwnd-limited", "random-loss"}, "rwnd-limited", true);
  graded.parameters = {{"rtt", "20ms"}, {"mtu", "1500"}};
  graded.seed = 18446744073709551615U;
  graded.confidence = 0.75;
  graded.false_alarms = {"bufferbloat"};
  graded.findings = {{"rwnd-limited", Severity::suspect, 0.5, true}};
  graded.goodput_bps = 1.5e6;
  graded.twin_goodput_bps = 9e8;
  graded.bytes_right = false;
  graded.kernel = KernelAccount{.busy_s = 2, .rwnd_limited_s = 1, .sndbuf_limited_s = 0.5};
  graded.ours[TimeOwner::receive_window] = 0.25;
  const std::string line = to_line(graded);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const Result<GradedCapture> back = graded_capture_of(line);
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(to_line(*back), line);
  EXPECT_EQ(back->seed, graded.seed);
  EXPECT_EQ(back->parameters, graded.parameters);
  EXPECT_EQ(back->findings[0].severity, Severity::suspect);
  EXPECT_EQ(back->ours[TimeOwner::receive_window], 0.25);
}

TEST(Accuracy, a_line_of_something_else_is_refused) {
  for (const char* line : {"", "nonsense", "{}", "[1]", R"({"scenario": 7})"}) {
    const Result<GradedCapture> back = graded_capture_of(line);
    ASSERT_FALSE(back) << line;
    EXPECT_EQ(back.error().kind, ErrorKind::input);
  }
}

TEST(Accuracy, the_document_says_how_it_was_made) {
  const std::vector<GradedCapture> captures{capture({"rwnd-limited"}, "rwnd-limited", true)};
  const std::string document =
      accuracy_markdown(summarise(captures), {.date = "2026-11-20",
                                              .kernel = "Linux 6.18.0 x86_64",
                                              .command = "slowpath lab matrix --seed 7",
                                              .seed = "7"});
  EXPECT_THAT(document, HasSubstr("`slowpath lab matrix --seed 7` on 2026-11-20"));
  EXPECT_THAT(document, HasSubstr("kernel Linux 6.18.0 x86_64, seed 7"));
  EXPECT_THAT(document, HasSubstr("| rwnd-limited | 1 | 1 | rwnd-limited 1 |"));
}

TEST(Accuracy, of_several_faults_those_that_cannot_be_seen_are_counted_apart) {
  GradedCapture whole = capture({"policer", "rwnd-limited"}, "policer", true);
  whole.causes = Causes{.named = {"policer", "rwnd-limited"}, .missed = {}, .unseen = {}};
  GradedCapture half = whole;
  half.point = "client";
  half.causes = Causes{.named = {}, .missed = {"rwnd-limited"}, .unseen = {"policer"}};
  const Accuracy accuracy = summarise(std::vector{whole, half});
  ASSERT_EQ(accuracy.causes.size(), 2U);
  EXPECT_EQ(accuracy.causes[0].complete, 1U);
  EXPECT_EQ(accuracy.causes[1].complete, 0U);
  EXPECT_THAT(causes_sentence(accuracy), HasSubstr("2 captures of worlds with several faults, 1"));
  EXPECT_THAT(causes_sentence(accuracy), HasSubstr("of 3 such causes 2 were named (66.7 %)"));
  EXPECT_THAT(accuracy_markdown(accuracy, {}), HasSubstr("## Several faults at once"));
  const Result<GradedCapture> back = graded_capture_of(to_line(half));
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(to_line(*back), to_line(half));
}

TEST(Accuracy, on_a_path_that_was_given_a_rate_only_the_prediction_counts) {
  GradedCapture graded = capture({"random-loss"}, "healthy", false);
  graded.path_rate = "50Mbit/s";
  graded.prediction = Prediction{.faults = "random-loss",
                                 .bound = Bound::about,
                                 .predicted_bps = 45e6,
                                 .measured_bps = 47e6,
                                 .basis = {}};
  GradedCapture own = capture({"random-loss"}, "random-loss", true);
  own.prediction = Prediction{.faults = "random-loss",
                              .bound = Bound::at_least,
                              .predicted_bps = 900e6,
                              .measured_bps = 700e6,
                              .basis = {}};
  const Accuracy accuracy = summarise(std::vector{graded, own});
  EXPECT_EQ(accuracy.faulty, 1U);
  EXPECT_EQ(accuracy.faulty_accepted, 1U);
  const std::string text = prediction_sentence(accuracy);
  EXPECT_THAT(text, HasSubstr("own paths: of 1 predictions 0 say \"about\" (0 %)"));
  EXPECT_THAT(text, HasSubstr("Of 1 scenarios 0 (0 %) were told right rates alone, 0 none, 1 a"));
  EXPECT_THAT(text, HasSubstr("50Mbit/s where a path has none: of 1 predictions 1 say \"about\""));
  EXPECT_THAT(text, HasSubstr("Of 1 scenarios 1 (100 %) were told right rates alone, 0 none, 0 a"));
  EXPECT_EQ(graded_capture_of(to_line(graded)).value_or(own).path_rate, "50Mbit/s");
}

TEST(Accuracy, a_bound_far_below_is_true_and_counted_apart) {
  const auto bound = [](double bps) {
    return Prediction{.faults = "pmtud-blackhole",
                      .bound = Bound::at_least,
                      .predicted_bps = bps,
                      .measured_bps = 45e6,
                      .basis = {}};
  };
  EXPECT_TRUE(bound(15e6).is_of_order());
  EXPECT_FALSE(bound(14.9e6).is_of_order());
  EXPECT_TRUE(bound(14.9e6).holds_at_least());
  EXPECT_TRUE(bound(49e6).is_of_order()) << "noise";
  EXPECT_FALSE(bound(50.1e6).is_of_order());
  GradedCapture far = capture({"pmtud-blackhole"}, "pmtud-blackhole", true);
  far.prediction = bound(1e6);
  GradedCapture silent = capture({"pmtud-blackhole"}, "pmtud-blackhole", true);
  silent.point = "elsewhere";
  silent.prediction = bound(1e6);
  silent.prediction->bound = Bound::unknown;
  silent.prediction->predicted_bps.reset();
  const std::string text = prediction_sentence(summarise(std::vector{far, silent}));
  EXPECT_THAT(text, HasSubstr("1 are true and 0 no farther below than a factor of 3"));
  EXPECT_THAT(text, HasSubstr("Of 1 scenarios 1 (100 %) were told right rates alone"));
  EXPECT_THAT(text, HasSubstr("0 (0 %) a right one that is \"about\" or within that factor"));
}

}  // namespace
}  // namespace slowpath::report
