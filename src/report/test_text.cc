// SPDX-License-Identifier: Apache-2.0
// A test on one screen: what was reached, what limited it, what was proved, the verdict.
#include <algorithm>
#include <ranges>
#include <vector>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/throughput_test.h"
#include "facts/cpu_time.h"
#include "report/path_test_text.h"
#include "report/table.h"
#include "report/test_answer.h"
#include "report/test_verdict.h"

namespace slowpath::report {
namespace {

/// "98 %": of the busiest processor.
std::string busiest(const TestHost& host) {
  double most = -1;
  for (const CpuFacts& cpu : host.cpus) {
    const double total = total_s(cpu);
    if (total > 0) most = std::max(most, 1 - cpu.idle_s / total);
  }
  return most < 0 ? "unknown" : fmt::format("{:.0f}{}%", 100 * most, kNoBreak);
}

std::string parts_of(const TestHost& host) {
  CpuFacts sum;
  double total = 0;
  for (const CpuFacts& cpu : host.cpus) {
    sum.user_s += cpu.user_s;
    sum.system_s += cpu.system_s;
    sum.softirq_s += cpu.softirq_s;
    sum.steal_s += cpu.steal_s;
    total += total_s(cpu);
  }
  if (total <= 0) return "unknown";
  return fmt::format("{} processors: user {}, system {}, softirq {}, steal {}", host.cpus.size(),
                     format_percent(sum.user_s / total), format_percent(sum.system_s / total),
                     format_percent(sum.softirq_s / total), format_percent(sum.steal_s / total));
}

/// One processor after the other, those that worked most first.
void write_processors(Page& page, const TestHost& host) {
  constexpr std::size_t kShown = 8;
  std::vector<CpuFacts> cpus = host.cpus;
  std::erase_if(cpus, [](const CpuFacts& cpu) { return total_s(cpu) <= 0; });
  std::ranges::stable_sort(cpus, {}, [](const CpuFacts& cpu) { return cpu.idle_s / total_s(cpu); });
  for (const CpuFacts& cpu : cpus | std::views::take(kShown)) {
    const double total = total_s(cpu);
    page.entry(
        "", fmt::format("  processor {}: user {}, system {}, softirq {}, steal {}, idle {}",
                        cpu.number, format_percent(cpu.user_s / total),
                        format_percent(cpu.system_s / total), format_percent(cpu.softirq_s / total),
                        format_percent(cpu.steal_s / total), format_percent(cpu.idle_s / total)));
  }
  if (cpus.size() > kShown)
    page.entry("", fmt::format("  and {} that worked less", cpus.size() - kShown));
}

void add_row(Table& table, const TestFacts& test, const TestRun& run, const TestFlow& flow) {
  const detect::FlowAccount account = detect::account_of(flow);
  table.row({name_of(run, flow), format_rate(flow.goodput_bps),
             account.known ? format_percent(account.resent_share()) : "unknown",
             flow.rtt.samples > 0 ? format_duration(flow.rtt.median_s) : "unknown",
             busiest(run.client), busiest(run.server),
             std::string{detect::to_string(detect::judge_flow(test, run, flow).limit)}});
}

std::string table_of(const TestFacts& test, std::size_t width) {
  Table table{{{"Data", Align::left},
               {"Goodput", Align::right},
               {"Resent", Align::right},
               {"RTT loaded", Align::right},
               {"CPU here", Align::right},
               {"CPU there", Align::right},
               {"Limit", Align::left}}};
  for (const TestRun& run : test.runs) {
    for (const TestFlow& flow : run.flows) add_row(table, test, run, flow);
  }
  return table.text(width, 2);
}

void write_head(Page& page, const TestFacts& test) {
  std::string text = fmt::format("{} (slowpath {})", to_string(test.server), test.server_version);
  if (test.rtt_idle_s)
    text += fmt::format(", round trip {} idle", format_duration(*test.rtt_idle_s));
  page.heading("TEST", text);
  if (test.client_ceiling_bps && test.server_ceiling_bps)
    page.entry(
        "ceiling",
        fmt::format(
            "{} on this host with itself, {} on the server", format_rate(*test.client_ceiling_bps),
            *test.server_ceiling_bps > 0 ? format_rate(*test.server_ceiling_bps) : "not told"));
}

/// "random"; of a file how much of it.
std::string content_of(const TestFacts& test) {
  if (test.content_bytes == 0) return test.content;
  return fmt::format("{} of the file, over and over",
                     format_bytes(static_cast<double>(test.content_bytes)));
}

std::string shares_of(const TestFlow& flow) {
  const detect::FlowAccount account = detect::account_of(flow);
  if (!account.known || flow.counted_s <= 0) return "no account";
  const double all = flow.counted_s * static_cast<double>(flow.streams.size());
  return fmt::format("busy {}, of that waiting for the receive window {}, for the send buffer {}",
                     format_percent(std::min(1.0, account.busy_s / all)),
                     format_percent(std::min(1.0, account.rwnd_share())),
                     format_percent(std::min(1.0, account.sndbuf_share())));
}

void write_accounts(Page& page, const TestFacts& test) {
  for (const TestRun& run : test.runs) {
    for (const TestFlow& flow : run.flows) {
      page.entry(flow.to_server ? "there" : "back",
                 fmt::format("{}: {}", name_of(run, flow), shares_of(flow)));
      page.entry("", detect::judge_flow(test, run, flow).why);
    }
    page.entry("cpu", "here " + parts_of(run.client));
    write_processors(page, run.client);
    page.entry("", "there " + parts_of(run.server));
    write_processors(page, run.server);
  }
}

/// After a signal every stream that still ran was cut off, by whichever end came first.
void write_broken(Page& page, const TestFacts& test) {
  if (test.interrupted) return;
  for (const TestRun& run : test.runs) {
    for (const TestFlow& flow : run.flows) {
      for (const TestStream& each : flow.streams) {
        if (!each.error.empty())
          page.entry("broken",
                     fmt::format("{} stream {}: {}", name_of(run, flow), each.number, each.error));
      }
    }
  }
}

void write_bytes(Page& page, const TestFacts& test) {
  std::uint64_t checked = 0, differing = 0;
  for (const TestRun& run : test.runs) {
    for (const TestFlow& flow : run.flows) {
      checked += flow.integrity.checked_bytes;
      differing += flow.integrity.differing_bytes;
    }
  }
  if (checked == 0) {
    page.entry("bytes", "not compared");
  } else if (differing == 0) {
    page.entry("bytes", fmt::format("{} compared ({}), all as they were sent",
                                    format_bytes(static_cast<double>(checked)), content_of(test)));
  } else {
    page.entry("bytes",
               fmt::format("{} of {} differ", format_count(differing), format_count(checked)),
               Tone::bad);
  }
}

void write_changes(Page& page, const TestAnswer& answer) {
  std::string_view label = "against";
  for (const RateChange& each : answer.changes) {
    std::string text = each.flow + ": ";
    if (!each.told) {
      text += "too few intervals to tell";
    } else {
      text += fmt::format("{} then, {} now ({:+.1f}{}%), {}", format_rate(each.before_bps),
                          format_rate(each.now_bps),
                          100 * (each.now_bps / std::max(each.before_bps, 1.0) - 1), kNoBreak,
                          each.beyond_noise ? "a real change" : "within the noise");
    }
    page.entry(label, text);
    label = "";
  }
}

}  // namespace

std::string name_of(const TestRun& run, const TestFlow& flow) {
  if (!run.label.empty()) return run.label;
  const std::string name = flow.to_server ? "to-server" : "to-client";
  return run.flows.size() > 1 ? "both " + name : name;
}

std::string test_to_text(const TestAnswer& answer, const TextOptions& options) {
  Page head{options.style};
  write_head(head, answer.facts);
  head.gap();
  Page rest{options.style};
  if (options.all) write_accounts(rest, answer.facts);
  write_broken(rest, answer.facts);
  write_bytes(rest, answer.facts);
  if (const double knee = detect::knee_of(answer.facts); knee > 0)
    rest.entry("knee", fmt::format("{} {} reaches nine tenths of the best rate", answer.facts.sweep,
                                   answer.facts.sweep == "window" ? format_bytes(knee)
                                                                  : fmt::format("{:.0f}", knee)));
  write_changes(rest, answer);
  if (answer.interrupted) rest.entry("note", "interrupted: this is what was measured so far");
  if (!answer.path_unable.empty())
    rest.entry("note", "the path was not looked at: " + answer.path_unable);
  std::string text = std::move(head).take() + table_of(answer.facts, options.style.width) + "\n" +
                     std::move(rest).take();
  if (answer.path) {
    text += "\n" + path_measurements_text(*answer.path, options.style, options.all);
  }
  Page verdict{options.style};
  write_test_verdict(verdict, answer.diagnosis, options);
  return text + "\n" + std::move(verdict).take();
}

}  // namespace slowpath::report
