// SPDX-License-Identifier: Apache-2.0
#include "cli/lab/retell.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/format.h"

namespace slowpath::cli {
namespace {

using Lines = std::vector<std::string>;

/// "rate=10Mbit/s queue=250KB".
std::string text_of(const std::map<std::string, std::string>& values) {
  std::string text;
  for (const auto& [name, value] : values) {
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
  }
  return text;
}

std::string line_of(const lab::HostSpec& host) {
  std::string text = fmt::format("{}: MTU {}, {}", host.name, host.mtu, host.congestion_control);
  if (!host.route.empty()) text += ", route " + host.route;
  if (!host.sysctls.empty()) text += ", " + text_of(host.sysctls);
  for (const std::string& command : host.commands) text += ", `" + command + "`";
  return host.forwards ? text + ", forwards" : text;
}

void add_stages(Lines& lines, const std::string& from, const std::string& to,
                const std::vector<lab::StageSpec>& stages) {
  for (const lab::StageSpec& stage : stages) {
    const std::string settings = text_of(stage.settings.values());
    lines.push_back(fmt::format("{} → {}: {}{}{}", from, to, stage.kind->name,
                                settings.empty() ? "" : " ", settings));
  }
}

Lines stages_of(const lab::World& world) {
  Lines lines;
  for (const lab::WorldLink& link : world.links) {
    add_stages(lines, link.a, link.b, link.a_to_b);
    add_stages(lines, link.b, link.a, link.b_to_a);
  }
  return lines;
}

Lines hosts_of(const lab::World& world) {
  Lines lines;
  for (const lab::HostSpec& host : world.hosts) lines.push_back(line_of(host));
  return lines;
}

Lines transfers_of(const lab::World& world) {
  Lines lines;
  for (const lab::TransferSpec& transfer : world.transfers) {
    lines.push_back(fmt::format("{}: {}", transfer.name, text_of(transfer.settings.values())));
  }
  return lines;
}

/// Lines of `all` that `others` has not, each counted as often as it is there.
Lines without(const Lines& all, Lines others) {
  Lines left;
  for (const std::string& line : all) {
    const auto found = std::ranges::find(others, line);
    if (found == others.end()) {
      left.push_back(line);
    } else {
      others.erase(found);
    }
  }
  return left;
}

/// A text of several lines as one: the report breaks it where the terminal ends.
std::string unbroken(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

report::LabKernel kernel_of(const lab::TcpSample& sample) {
  const double busy_s = static_cast<double>(sample.busy_us) * 1e-6;
  const auto share = [&](std::uint64_t part_us) {
    return sample.busy_us == 0 ? 0
                               : static_cast<double>(part_us) / static_cast<double>(sample.busy_us);
  };
  return {.retransmissions = sample.total_retrans,
          .timeouts = sample.total_rto,
          .busy_s = busy_s,
          .rwnd_limited_share = share(sample.rwnd_limited_us),
          .sndbuf_limited_share = share(sample.sndbuf_limited_us),
          .min_rtt_s = static_cast<double>(sample.min_rtt_us) * 1e-6};
}

report::LabStream retell(const std::string& transfer, const lab::StreamResult& stream) {
  report::LabStream told{.transfer = transfer,
                         .from = stream.from,
                         .to = stream.to,
                         .bytes = stream.bytes_received,
                         .seconds = stream.seconds,
                         .goodput_bps = stream.goodput_bps,
                         .complete = stream.complete,
                         .bytes_right = stream.bytes_right,
                         .bad_bytes = stream.bad_bytes,
                         .sent_sha256 = stream.sent_sha256,
                         .received_sha256 = stream.received_sha256};
  if (!stream.bad.empty()) told.first_bad_offset = stream.bad.front().offset;
  if (stream.last) told.kernel = kernel_of(*stream.last);
  return told;
}

report::LabTarget rate_target(std::string_view word, double limit_bps, bool is_met) {
  return {.text = fmt::format("goodput {} {}", word, format_rate(limit_bps)), .is_met = is_met};
}

report::LabTarget window_target(const lab::Symptom& symptom, const lab::RunResult& broken) {
  const double rtt_s = broken.main_rtt_seconds();
  const double ceiling_bps = rtt_s > 0 ? 8 * static_cast<double>(symptom.window_bytes) / rtt_s : 0;
  const double off_bps = std::abs(broken.main_goodput_bps() - ceiling_bps);
  return {.text = fmt::format("goodput within {:g} % of {} B per round-trip time of {} ({})",
                              100 * lab::Symptom::kWindowTolerance, symptom.window_bytes,
                              format_duration(rtt_s), format_rate(ceiling_bps)),
          .is_met = rtt_s > 0 && off_bps <= lab::Symptom::kWindowTolerance * ceiling_bps};
}

}  // namespace

NamedValues parameters_of(const lab::Scenario& scenario) {
  NamedValues values;
  for (const lab::Parameter& parameter : scenario.parameters) {
    values.emplace_back(parameter.name, parameter.value);
  }
  return values;
}

report::LabStory retell(const lab::Scenario& scenario, std::uint64_t seed) {
  const Lines healthy_stages = stages_of(scenario.healthy);
  const Lines broken_stages = stages_of(scenario.broken);
  report::LabStory story{.name = scenario.name,
                         .title = scenario.title,
                         .story = scenario.story,
                         .about = unbroken(scenario.about),
                         .faults = scenario.faults,
                         .seed = seed,
                         .parameters = parameters_of(scenario),
                         .hosts = hosts_of(scenario.healthy),
                         .stages = healthy_stages,
                         .faulty = without(broken_stages, healthy_stages),
                         .transfers = transfers_of(scenario.healthy)};
  for (const Lines& more : {without(hosts_of(scenario.broken), story.hosts),
                            without(transfers_of(scenario.broken), story.transfers)}) {
    story.faulty.insert(story.faulty.end(), more.begin(), more.end());
  }
  return story;
}

report::LabRun retell(const lab::RunResult& result) {
  report::LabRun run;
  run.seconds = result.seconds;
  run.void_because = result.void_because;
  for (const lab::TransferResult& transfer : result.transfers) {
    run.transfers.push_back({.name = transfer.name,
                             .error = transfer.error,
                             .attempts = transfer.attempts,
                             .successes = transfer.successes,
                             .response_median_s = transfer.response_median_seconds,
                             .response_worst_s = transfer.response_worst_seconds});
    for (const lab::StreamResult& stream : transfer.streams) {
      run.streams.push_back(retell(transfer.name, stream));
    }
  }
  return run;
}

std::optional<report::KernelAccount> kernel_account(const lab::RunResult& result) {
  if (result.transfers.empty() || result.transfers.front().streams.empty()) return std::nullopt;
  const std::optional<lab::TcpSample>& last = result.transfers.front().streams.front().last;
  if (!last) return std::nullopt;
  return report::KernelAccount{
      .busy_s = static_cast<double>(last->busy_us) * 1e-6,
      .rwnd_limited_s = static_cast<double>(last->rwnd_limited_us) * 1e-6,
      .sndbuf_limited_s = static_cast<double>(last->sndbuf_limited_us) * 1e-6};
}

std::vector<report::LabTarget> targets_of(const lab::Scenario& scenario,
                                          const lab::RunResult& broken) {
  std::vector<report::LabTarget> targets;
  const lab::Symptom& symptom = scenario.symptom;
  const double goodput_bps = broken.main_goodput_bps();
  if (symptom.rate_below_bps > 0) {
    targets.push_back(
        rate_target("below", symptom.rate_below_bps, goodput_bps < symptom.rate_below_bps));
  }
  if (symptom.rate_above_bps > 0) {
    targets.push_back(
        rate_target("above", symptom.rate_above_bps, goodput_bps > symptom.rate_above_bps));
  }
  if (symptom.window_bytes > 0) targets.push_back(window_target(symptom, broken));
  if (symptom.bytes_wrong) {
    targets.push_back({.text = "bytes arrive wrong", .is_met = !broken.bytes_right()});
  } else if (scenario.faults.empty()) {
    targets.push_back({.text = "every byte right", .is_met = broken.bytes_right()});
  }
  return targets;
}

std::vector<report::LabTarget> targets_of(const lab::Fix& fix, const lab::RunResult& fixed,
                                          const lab::RunResult& broken) {
  std::vector<report::LabTarget> targets;
  const double goodput_bps = fixed.main_goodput_bps();
  if (fix.rate_ratio > 0) {
    const double least_bps = fix.rate_ratio * broken.main_goodput_bps();
    targets.push_back({.text = fmt::format("goodput at least {:g} times the broken one ({})",
                                           fix.rate_ratio, format_rate(least_bps)),
                       .is_met = goodput_bps >= least_bps && goodput_bps > 0});
  }
  if (fix.rate_at_least_bps > 0) {
    targets.push_back(
        rate_target("at least", fix.rate_at_least_bps, goodput_bps >= fix.rate_at_least_bps));
  }
  if (fix.bytes_right) {
    targets.push_back({.text = "every byte right", .is_met = fixed.bytes_right()});
  }
  return targets;
}

}  // namespace slowpath::cli
