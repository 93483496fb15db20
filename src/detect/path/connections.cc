// SPDX-License-Identifier: Apache-2.0
// idle-nat-drop, and what many short connections run into (ephemeral-exhausted,
// accept-queue-overflow, syn-backlog-cookies, conntrack-full, syn-blocked), by test. Counters of
// the host that was full make a fault; missing answers alone are a suspect.
#include <fmt/format.h>

#include "base/format.h"
#include "detect/path/rules.h"

namespace slowpath::detect::path {
namespace {

constexpr std::uint64_t kEnough = 3;
constexpr double kMaterial = 0.01;  // of the attempts

std::uint64_t failures_of(const ChurnTest& churn) { return churn.timed_out + churn.slow; }

void note_counter(const ChurnTest& churn, const std::optional<std::uint64_t>& counter,
                  std::string_view fault, std::string_view claim, std::string_view counted,
                  Findings& findings) {
  const std::uint64_t rise = counter.value_or(0);
  if (rise < kEnough) return;
  const bool hurts = static_cast<double>(failures_of(churn) + churn.reset) >=
                     kMaterial * static_cast<double>(churn.attempts);
  Finding finding =
      found(fault, hurts ? Severity::fault : Severity::note, 0.93, std::string(claim));
  finding.evidence.push_back(tested(fmt::format("{} rose by {} on the far end", counted, rise),
                                    {{std::string(counted), static_cast<double>(rise)}}));
  finding.evidence.push_back(
      tested(fmt::format("of {} connections {} were slow and {} were never answered",
                         churn.attempts, churn.slow, churn.timed_out),
             {{"slow", static_cast<double>(churn.slow)},
              {"timed_out", static_cast<double>(churn.timed_out)}}));
  finding.refuted_by = "the counter standing still while connections fail";
  findings.push_back(std::move(finding));
}

void judge_ports(const ChurnTest& churn, Findings& findings) {
  if (churn.no_local_port == 0) return;
  Finding finding = found(
      "ephemeral-exhausted", Severity::fault, 0.97,
      fmt::format("this host ran out of local ports after {} connections to one address and port",
                  format_count(churn.first_failure_at)));
  finding.evidence.push_back(tested(
      fmt::format(
          "connect() answered EADDRNOTAVAIL {} times; {} sockets wait in TIME_WAIT, of {} ports",
          churn.no_local_port, churn.local_time_wait.value_or(0), churn.local_ports.value_or(0)),
      {{"no_local_port", static_cast<double>(churn.no_local_port)},
       {"time_wait", static_cast<double>(churn.local_time_wait.value_or(0))},
       {"ports", static_cast<double>(churn.local_ports.value_or(0))}}));
  finding.refuted_by = "EADDRNOTAVAIL with ports left";
  findings.push_back(std::move(finding));
}

void judge_silence(const ChurnTest& churn, bool is_explained, Findings& findings) {
  const std::uint64_t failed = failures_of(churn);
  if (is_explained || failed < kEnough ||
      static_cast<double>(failed) < kMaterial * static_cast<double>(churn.attempts)) {
    return;
  }
  Finding finding =
      found("syn-blocked", Severity::suspect, 0.6,
            fmt::format("{} of {} connections were answered late or never at {:.0f} a second",
                        failed, churn.attempts,
                        churn.seconds > 0 ? static_cast<double>(churn.attempts) / churn.seconds
                                          : churn.offered_cps));
  finding.evidence.push_back(tested(
      fmt::format(
          "{} needed a second SYN, {} got no answer; the first after {} good ones; longest {}",
          churn.slow, churn.timed_out, churn.first_failure_at, format_duration(churn.max_s)),
      {{"slow", static_cast<double>(churn.slow)},
       {"timed_out", static_cast<double>(churn.timed_out)}}));
  finding.refuted_by = "the same rate without a late answer";
  finding.next_capture =
      "on the far end: nstat -az TcpExtListenOverflows TcpExtListenDrops; and in between: "
      "conntrack -S";
  findings.push_back(std::move(finding));
}

}  // namespace

void idle_nat_drop(const PathTestFacts& test, Findings& findings) {
  if (!test.idle || !test.idle->unable.empty() || test.idle->shortest_lost_s <= 0) return;
  const IdleTest& idle = *test.idle;
  Finding finding = found("idle-nat-drop", idle.control_sound ? Severity::fault : Severity::suspect,
                          idle.control_sound ? 0.92 : 0.5,
                          fmt::format("a connection to {} that is silent for {} is forgotten on "
                                      "the way; {} silence does not harm",
                                      to_string(test.peer), format_duration(idle.shortest_lost_s),
                                      format_duration(idle.longest_survived_s)));
  finding.evidence.push_back(tested(
      fmt::format(
          "{} silent connections: {} was survived, {} was not ({}); a busy one beside them {}",
          idle.tried, format_duration(idle.longest_survived_s),
          format_duration(idle.shortest_lost_s), idle.reset ? "answered with RST" : "no answer",
          idle.control_sound ? "lived" : "died, too"),
      {{"longest_survived_s", idle.longest_survived_s},
       {"shortest_lost_s", idle.shortest_lost_s}}));
  finding.refuted_by = "a connection that lives after a longer silence";
  findings.push_back(std::move(finding));
}

void churn(const PathTestFacts& test, Findings& findings) {
  if (!test.churn || !test.churn->unable.empty()) return;
  const ChurnTest& churn = *test.churn;
  const std::size_t before = findings.size();
  judge_ports(churn, findings);
  note_counter(churn, churn.listen_overflows, "accept-queue-overflow",
               "the program at the far end accepts connections more slowly than they come",
               "TcpExtListenOverflows", findings);
  note_counter(churn, churn.syn_cookies, "syn-backlog-cookies",
               "the far end's queue of half-open connections is full: it answers with cookies",
               "TcpExtSyncookiesSent", findings);
  note_counter(churn, churn.conntrack_drops, "conntrack-full",
               "the far end's connection table is full: new connections are dropped",
               "conntrack drop", findings);
  judge_silence(churn, findings.size() > before, findings);
}

}  // namespace slowpath::detect::path
