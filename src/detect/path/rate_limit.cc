// SPDX-License-Identifier: Apache-2.0
// policer and shaper by test: datagrams at twice the rate that TCP reached, after runs below it. A
// limit that drops shows losses without delay; one that queues shows delay first. How much passed
// before the limit showed is the bucket: what a queue of that size would have delayed tells a
// policer from a short queue, and packets that passed faster than the limit without waiting tell a
// shaper (a token bucket, RFC 2697) from a link of that speed. As detectors/{policer,shaper}.cc,
// which have the packets of a transfer to go by.
#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/path/rules.h"

namespace slowpath::detect::path {
namespace {

// What hits the limit: so much of what was sent did not come at that rate.
constexpr double kHeld = 0.9;
// Below the limit nearly nothing is lost; else it is another cause's.
constexpr double kQuietLoss = 0.005;
constexpr std::uint64_t kEnoughLost = 15;
// As in policing.cc: less than a third of a queue's delay is none, and less than 2 ms of a queue
// cannot be told from what hosts do to times.
constexpr double kQueueShown = 0.3, kLeastQueue_s = 0.002;
// Credit that no jitter makes: so long, and so much.
constexpr double kLeastCredit_s = 0.03, kLeastCreditBytes = 32 * 1024;
// A credit is read where the delay has left the noise, this far up to its end for the first time.
constexpr double kUp = 0.3;
// A shaper lets TCP have nearly all of its rate, and from the credit's end on delay grows as
// arithmetic says, within so much of the longest: what else makes delays does not keep to it.
constexpr double kNear = 0.25, kStrays = 0.15;
// Processors without rest drop and delay datagrams as a limit does (delay_and_loss.cc), but not as
// evenly: they stop for a while, and lose or delay what comes meanwhile. A bucket keeps to its rate
// from its end on, within so much, and no stretch holds so much of what it drops.
constexpr double kBusy = 0.85, kSteady = 0.05, kLongestStretch = 0.05;
constexpr std::uint64_t kEnoughStretches = 20;
// So near TCP's rate, and nothing like the delay in the run below it: no processor's doing either.
constexpr double kVeryNear = 0.1, kCalm = 0.25;

/// Whether what was measured is the path's, and not this host's.
bool hosts_rest(const LatencyTest& latency, Direction direction) {
  return std::ranges::all_of(latency.loaded, [&](const LatencyTest::Loaded& loaded) {
    return loaded.direction != direction || loaded.own_busy_share < kBusy;
  });
}

/// `but`: why it is the path all the same; empty where nothing says so.
void tell_busy(Finding& finding, const std::string& but) {
  if (!but.empty()) {
    finding.confidence = std::min(finding.confidence, 0.8);
    finding.evidence.push_back(
        tested("this host's processors had hardly any rest meanwhile, but " + but));
    return;
  }
  finding.severity = std::min(finding.severity, Severity::suspect);
  finding.confidence = 0.5;
  finding.evidence.push_back(tested(
      "this host's processors had hardly any rest meanwhile, which drops and delays as well"));
  finding.next_capture = "the same test from a host that has nothing else to do";
}

double lost_share(const DatagramRun& run) {
  return run.sent > 0 ? 1 - static_cast<double>(run.received) / static_cast<double>(run.sent) : 0;
}

/// The runs of one direction that bear on it.
struct Runs {
  const DatagramRun* over = nullptr;   // above the rate
  const DatagramRun* below = nullptr;  // the fastest below it
};

Runs runs_of(const LatencyTest& latency, Direction direction) {
  Runs runs;
  for (const DatagramRun& run : latency.runs) {
    if (run.direction != direction || !run.unable.empty() || !run.rate_share || run.sent == 0)
      continue;
    const DatagramRun*& place = *run.rate_share > 1 ? runs.over : runs.below;
    if (place == nullptr || *run.rate_share > *place->rate_share) place = &run;
  }
  return runs;
}

/// What passed at more than the limit before the first loss: the bucket, or the queue's room.
double room_bytes(const DatagramRun& run) {
  const double first = static_cast<double>(run.first_lost.value_or(0)) * run.ip_bytes;
  const double seconds = run.sent_bps > 0 ? first * 8 / run.sent_bps : 0;
  return std::max(0.0, first - seconds * run.late_bps / 8);
}

std::string loss_words(const DatagramRun& run) {
  return fmt::format("at {} ({} of the rate that TCP reached): {} of {} lost, the delay grew by {}",
                     format_rate(run.offered_bps), format_percent(*run.rate_share),
                     run.sent - run.received, run.sent, format_duration(run.delay_growth_s));
}

Evidence evidence_of(const DatagramRun& run) {
  return tested(loss_words(run), {{"offered_bps", run.offered_bps},
                                  {"arrived_bps", run.late_bps},
                                  {"loss_share", lost_share(run)},
                                  {"delay_growth_us", run.delay_growth_s * 1e6}});
}

/// One-way delay just before the first loss: the median of the later half of the points up to it,
/// so that no single late packet makes it. 0 where too few came before.
double delay_before_loss_s(const DatagramRun& run) {
  if (!run.first_lost || run.sent_bps <= 0) return 0;
  const double lost_s = static_cast<double>(*run.first_lost) * run.ip_bytes * 8 / run.sent_bps;
  std::vector<double> delays;
  for (const auto& [at_s, delay_s] : run.course) {
    if (at_s < lost_s) delays.push_back(delay_s);
  }
  constexpr std::size_t kEnoughPoints = 3;
  if (delays.size() < kEnoughPoints) return 0;
  delays.erase(delays.begin(), delays.begin() + static_cast<std::ptrdiff_t>(delays.size() / 2));
  std::ranges::sort(delays);
  return delays[(delays.size() - 1) / 2];
}

/// Why losses are a limit's even where processors had no rest: what passed kept to one rate from
/// the first loss to the end, and what was lost lies evenly. Empty where that is not so.
std::string even_losses(const DatagramRun& run) {
  const std::uint64_t lost = run.sent - run.received, before = run.first_lost.value_or(0);
  if (run.sent_bps <= 0 || run.received <= before || run.loss_runs < kEnoughStretches) return {};
  const double bits = run.ip_bytes * 8.0;
  const double seconds = static_cast<double>(run.sent - before) * bits / run.sent_bps;
  const double passed_bps = static_cast<double>(run.received - before) * bits / seconds;
  if (std::abs(passed_bps / run.late_bps - 1) > kSteady ||
      static_cast<double>(run.longest_loss_run) > kLongestStretch * static_cast<double>(lost))
    return {};
  return fmt::format(
      "from the first loss on {} passed, at the end {}, and the losses lie in {} stretches, the "
      "longest of {}: what stops for a while loses in long ones",
      format_rate(passed_bps), format_rate(run.late_bps), run.loss_runs, run.longest_loss_run);
}

/// The same of delays: TCP was let have this very rate, and below it nothing waited like that.
std::string calm_below(const Runs& runs, double of_tcp) {
  const DatagramRun &over = *runs.over, &below = *runs.below;
  if (std::abs(of_tcp - 1) > kVeryNear || below.delay_growth_s > kCalm * over.delay_growth_s)
    return {};
  return fmt::format(
      "TCP reached this very rate, and at {} of it, with the same processors, the delay grew by {} "
      "only",
      format_percent(*below.rate_share), format_duration(below.delay_growth_s));
}

void report_policer(const PathTestFacts& test, const Runs& runs, Direction direction,
                    Findings& findings) {
  const DatagramRun& over = *runs.over;
  const double room = room_bytes(over), queue_s = room * 8 / over.late_bps;
  const double bound_s = std::max(kQueueShown * queue_s, kLeastQueue_s / 2);
  // A queue that is managed (PIE, RFC 8033; DOCSIS, RFC 8034) shows its delay first, and has shed
  // it by the end.
  if (std::max(over.delay_growth_s, delay_before_loss_s(over)) > bound_s) return;
  // A room too small to show as delay could be a queue's as well.
  const bool is_proved = queue_s >= kLeastQueue_s;
  Finding finding =
      found("policer", is_proved ? Severity::fault : Severity::suspect, is_proved ? 0.9 : 0.6,
            fmt::format("{} what exceeds about {} is dropped at once, not queued",
                        way_of(test, direction), format_rate(over.late_bps)));
  finding.direction = direction;
  finding.evidence.push_back(evidence_of(over));
  finding.evidence.push_back(evidence_of(*runs.below));
  finding.evidence.push_back(
      tested(fmt::format("{} passed above that rate before the first loss; a queue of that length "
                         "would have delayed by {}",
                         format_bytes(room), format_duration(queue_s)),
             {{"bucket_bytes", room},
              {"bucket_rate_bps", over.late_bps},
              {"queue_would_add_us", queue_s * 1e6}}));
  finding.refuted_by = "delays that grow before datagrams are lost";
  finding.next_capture =
      "at the sender, during a transfer: slowpath diagnose -i DEV --duration 10s";
  if (!hosts_rest(*test.latency, direction)) tell_busy(finding, even_losses(over));
  findings.push_back(std::move(finding));
}

/// Whether delays follow a credit and a queue behind it: none at first, then one that grows as fast
/// as more is sent than passes, up to the queue's length.
bool follows(const DatagramRun& run, double slope, double credit) {
  double strays = 0;
  for (const auto& [at_s, delay_s] : run.course)
    strays += std::abs(delay_s - std::clamp(slope * at_s - credit, 0.0, run.delay_growth_s));
  return strays <= kStrays * run.delay_growth_s * static_cast<double>(run.course.size());
}

/// Seconds at the limit's rate that were sent above it without waiting: how far the delay lags
/// behind what a link of this rate, which has no credit, would show. 0 where it cannot be read.
/// At the rate that was asked for: a queue on the sending host itself holds the sender back, too,
/// but only once it is full.
double credit_s(const DatagramRun& run) {
  const double slope = run.offered_bps / run.late_bps - 1;
  for (auto point = run.course.begin(); point != run.course.end(); ++point) {
    const auto& [at_s, delay_s] = *point;
    // The first ones may still find what came before them.
    const bool is_low_before = std::ranges::any_of(run.course.begin(), point, [&](const auto& it) {
      return it.second < kUp * run.delay_growth_s / 2;
    });
    if (delay_s < kUp * run.delay_growth_s || !is_low_before) continue;
    const double credit = slope * at_s - delay_s;
    return credit > 0 && follows(run, slope, credit) ? credit : 0;
  }
  return 0;
}

void report_shaper(const PathTestFacts& test, const Runs& runs, Direction direction,
                   Findings& findings) {
  const DatagramRun& over = *runs.over;
  // Without delay nothing is queued, and without a sound run below it is not this rate's doing.
  if (over.delay_growth_s < kLeastCredit_s) return;
  const double credit = credit_s(over), bytes = credit * over.late_bps / 8;
  const double of_tcp = over.late_bps * *over.rate_share / over.offered_bps;
  const bool has_credit =
      credit >= kLeastCredit_s && bytes >= kLeastCreditBytes && std::abs(of_tcp - 1) <= kNear;
  Finding finding =
      found("shaper", has_credit ? Severity::fault : Severity::note, has_credit ? 0.85 : 0.7,
            has_credit ? fmt::format("{} the rate is held at {} by queueing, after a credit of {}",
                                     way_of(test, direction), format_rate(over.late_bps),
                                     format_bytes(bytes))
                       : fmt::format("{} what exceeds {} waits: a link of that speed, or a shaper",
                                     way_of(test, direction), format_rate(over.late_bps)));
  finding.direction = direction;
  finding.evidence.push_back(evidence_of(over));
  if (has_credit) {
    finding.evidence.push_back(tested(
        fmt::format("at the beginning {} passed at {} without waiting, which no link of {} "
                    "lets through",
                    format_bytes(bytes), format_rate(over.offered_bps), format_rate(over.late_bps)),
        {{"credit_bytes", bytes}, {"plateau_bps", over.late_bps}}));
  }
  finding.refuted_by = "a link on the path whose own speed is this rate";
  if (has_credit && !hosts_rest(*test.latency, direction))
    tell_busy(finding, calm_below(runs, of_tcp));
  findings.push_back(std::move(finding));
}

}  // namespace

void rate_limit(const PathTestFacts& test, Findings& findings) {
  if (!test.latency) return;
  for (const Direction direction : {Direction::to_server, Direction::to_client}) {
    const Runs runs = runs_of(*test.latency, direction);
    if (runs.over == nullptr || runs.below == nullptr) continue;
    const DatagramRun& over = *runs.over;
    if (over.late_bps <= 0 || over.late_bps > kHeld * over.offered_bps) continue;
    if (lost_share(*runs.below) > kQuietLoss) continue;
    const std::size_t before = findings.size();
    if (over.sent - over.received >= kEnoughLost) report_policer(test, runs, direction, findings);
    if (findings.size() == before) report_shaper(test, runs, direction, findings);
  }
}

}  // namespace slowpath::detect::path
