// SPDX-License-Identifier: Apache-2.0
// truth.json and tcp_info.jsonl: what was done in a run and what came out, for judges and people.
// The captures beside them say nothing of it.
#include <sys/utsname.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

#include "base/json.h"
#include "base/json_text.h"
#include "lab/run.h"

namespace slowpath::lab {
namespace {

using Json = nlohmann::ordered_json;

std::string kernel() {
  utsname names{};
  if (uname(&names) != 0) return "unknown";
  return fmt::format("{} {}", names.sysname, names.release);
}

Json json_of(const HostSpec& host) {
  return {{"name", host.name},
          {"mtu", host.mtu},
          {"congestion_control", host.congestion_control},
          {"route", host.route},
          {"sysctl", host.sysctls},
          {"run", host.commands},
          {"forward", host.forwards}};
}

std::ptrdiff_t count_like(const std::vector<StageSpec>& stages, const StageSpec& stage) {
  return std::ranges::count_if(stages, [&](const StageSpec& other) {
    return other.kind == stage.kind && other.settings.values() == stage.settings.values();
  });
}

/// A stage belongs to the fault where the healthy twin has no (further) one like it.
Json stages_json(const std::vector<StageSpec>& stages, const std::vector<StageSpec>& healthy) {
  auto list = Json::array();
  std::vector<StageSpec> before;
  for (const auto& stage : stages) {
    list.push_back({{"kind", stage.kind->name},
                    {"level", to_string(stage.kind->level)},
                    {"settings", stage.settings.values()},
                    {"of_fault", count_like(before, stage) >= count_like(healthy, stage)}});
    before.push_back(stage);
  }
  return list;
}

Json links_json(const World& world, const World& healthy) {
  auto list = Json::array();
  static const std::vector<StageSpec> kNone;
  for (std::size_t i = 0; i < world.links.size(); ++i) {
    const auto& link = world.links[i];
    const bool has_twin = i < healthy.links.size();
    list.push_back({{"a", link.a},
                    {"b", link.b},
                    {link.a + ">" + link.b,
                     stages_json(link.a_to_b, has_twin ? healthy.links[i].a_to_b : kNone)},
                    {link.b + ">" + link.a,
                     stages_json(link.b_to_a, has_twin ? healthy.links[i].b_to_a : kNone)}});
  }
  return list;
}

Json json_of(const TcpSample& sample) {
  return {{"t_s", to_seconds(sample.at)},
          {"state", sample.state},
          {"options", sample.options},
          {"snd_wscale", sample.snd_wscale},
          {"rcv_wscale", sample.rcv_wscale},
          {"rtt_us", sample.rtt_us},
          {"min_rtt_us", sample.min_rtt_us},
          {"rto_us", sample.rto_us},
          {"retransmits", sample.retransmits},
          {"backoff", sample.backoff},
          {"cwnd", sample.cwnd},
          {"ssthresh", sample.ssthresh},
          {"snd_mss", sample.snd_mss},
          {"pmtu", sample.pmtu},
          {"unacked", sample.unacked},
          {"snd_wnd", sample.snd_wnd},
          {"notsent_bytes", sample.notsent_bytes},
          {"bytes_acked", sample.bytes_acked},
          {"delivery_rate_Bps", sample.delivery_rate_Bps},
          {"app_limited", sample.app_limited},
          {"total_retrans", sample.total_retrans},
          {"total_rto", sample.total_rto},
          {"reordering", sample.reordering},
          {"reord_seen", sample.reord_seen},
          {"dsack_dups", sample.dsack_dups},
          {"busy_us", sample.busy_us},
          {"rwnd_limited_us", sample.rwnd_limited_us},
          {"sndbuf_limited_us", sample.sndbuf_limited_us},
          {"rcv_rtt_us", sample.rcv_rtt_us},
          {"rcv_space", sample.rcv_space},
          {"rcv_wnd", sample.rcv_wnd},
          {"rcv_out_of_order", sample.rcv_out_of_order},
          {"bytes_received", sample.bytes_received}};
}

Json json_of(const StreamResult& stream) {
  auto bad = Json::array();
  for (const auto& range : stream.bad) {
    bad.push_back({{"offset", range.offset},
                   {"length", range.length},
                   {"sent_hex", range.sent_hex},
                   {"received_hex", range.received_hex}});
  }
  return {{"from", stream.from},
          {"to", stream.to},
          {"bytes_sent", stream.bytes_sent},
          {"bytes_received", stream.bytes_received},
          {"seconds", stream.seconds},
          {"goodput_bps", stream.goodput_bps},
          {"complete", stream.complete},
          {"bytes_right", stream.bytes_right},
          {"sent_sha256", stream.sent_sha256},
          {"received_sha256", stream.received_sha256},
          {"bad_bytes", stream.bad_bytes},
          {"bad_ranges", std::move(bad)},
          {"tcp_info", stream.last ? json_of(*stream.last) : Json{}}};
}

Json transfers_json(const World& world, const RunResult& result) {
  auto list = Json::array();
  for (const auto& transfer : result.transfers) {
    const auto spec = std::ranges::find(world.transfers, transfer.name, &TransferSpec::name);
    auto streams = Json::array();
    for (const auto& stream : transfer.streams) streams.push_back(json_of(stream));
    list.push_back({{"name", transfer.name},
                    {"kind", transfer.kind},
                    {"settings", spec == world.transfers.end() ? Json::object()
                                                               : Json(spec->settings.values())},
                    {"client", transfer.client},
                    {"server", transfer.server},
                    {"connect_seconds", transfer.connect_seconds},
                    {"error", transfer.error},
                    {"attempts", transfer.attempts},
                    {"successes", transfer.successes},
                    {"response_median_seconds", transfer.response_median_seconds},
                    {"response_worst_seconds", transfer.response_worst_seconds},
                    {"streams", std::move(streams)}});
  }
  return list;
}

/// Counters that are not zero both times.
Json counters_json(const RunResult& result) {
  auto hosts = Json::object();
  for (const auto& [host, after] : result.counters_after) {
    const auto all_before = result.counters_before.find(host);
    auto counters = Json::object();
    for (const auto& [name, value] : after) {
      std::uint64_t before = 0;
      if (all_before != result.counters_before.end()) {
        const auto found = all_before->second.find(name);
        if (found != all_before->second.end()) before = found->second;
      }
      if (before == 0 && value == 0) continue;
      counters[name] = {
          {"before", before},
          {"after", value},
          // Some are gauges (CurrEstab) and may fall.
          {"difference", static_cast<std::int64_t>(value) - static_cast<std::int64_t>(before)}};
    }
    hosts[host] = std::move(counters);
  }
  return hosts;
}

Json directions_json(const RunResult& result) {
  auto list = Json::array();
  for (std::uint32_t direction = 0; direction < result.directions.size(); ++direction) {
    const auto& report = result.directions[direction];
    auto stages = Json::array();
    for (std::uint32_t stage = 0; stage < report.stages.size(); ++stage) {
      const auto& counts = report.stages[stage];
      Json entry{{"name", counts.name},
                 {"taken", counts.taken},
                 {"touched", counts.touched},
                 {"dropped", counts.dropped}};
      for (const auto& activity : result.activity) {
        if (activity.direction != direction || activity.stage != stage) continue;
        entry["active_from_ns"] = to_ns(activity.first);
        entry["active_until_ns"] = to_ns(activity.last);
      }
      stages.push_back(std::move(entry));
    }
    list.push_back({{"name", report.name}, {"stages", std::move(stages)}});
  }
  return list;
}

/// Verdicts are known for the broken world and its twin; what a fix leaves is for its reader to
/// judge.
Json captures_json(const Scenario& scenario, Variant variant, const RunResult& result) {
  auto list = Json::array();
  for (const auto& capture : result.captures) {
    Json entry{{"point", capture.point},
               {"file", capture.file.substr(capture.file.rfind('/') + 1)},
               {"frames", capture.frames}};
    const auto expected = std::ranges::find(scenario.expected, capture.point, &Expectation::point);
    if (variant == Variant::healthy) {
      entry["accepted"] = {"healthy"};
    } else if (variant == Variant::broken && expected != scenario.expected.end()) {
      entry["accepted"] = expected->accepted;
    }
    for (const auto& unseen : scenario.unseen) {
      if (variant != Variant::broken || unseen.point != capture.point) continue;
      entry["unseen"].push_back(
          {{"fault", unseen.fault}, {"why", unseen.why}, {"shows_as", unseen.shows_as}});
    }
    list.push_back(std::move(entry));
  }
  return list;
}

Json truth_json(const Scenario& scenario, Variant variant, const World& world,
                const RunResult& result) {
  const bool is_healthy = variant == Variant::healthy;
  auto parameters = Json::object();
  for (const auto& parameter : scenario.parameters) parameters[parameter.name] = parameter.value;
  auto hosts = Json::array();
  for (const auto& host : world.hosts) hosts.push_back(json_of(host));
  auto commands = Json::array();
  for (const auto& [host, command] : result.commands) {
    commands.push_back({{"host", host}, {"run", command}});
  }
  return {{"schema", "slowpath.lab.truth.v1"},
          {"scenario", scenario.name},
          {"title", scenario.title},
          {"story", scenario.story},
          {"variant", to_string(variant)},
          {"faults", is_healthy ? std::vector<std::string>{} : scenario.faults},
          {"allowed", is_healthy ? std::vector<std::string>{} : scenario.allowed},
          {"never", is_healthy ? std::vector<std::string>{} : scenario.never},
          {"seed", result.seed},
          {"parameters", std::move(parameters)},
          {"kernel", kernel()},
          {"void_because", result.void_because},
          {"stopped", result.stopped},
          {"seconds", result.seconds},
          {"ipv6", world.ipv6},
          {"hosts", std::move(hosts)},
          {"links", links_json(world, scenario.healthy)},
          {"fix_commands", std::move(commands)},
          {"captures", captures_json(scenario, variant, result)},
          {"transfers", transfers_json(world, result)},
          {"directions", directions_json(result)},
          {"lateness",
           {{"frames", result.lateness.frames},
            {"median_us", to_microseconds(result.lateness.median)},
            {"p99_us", to_microseconds(result.lateness.p99)},
            {"worst_us", to_microseconds(result.lateness.worst)}}},
          {"counters", counters_json(result)}};
}

Result<void> finish(std::ofstream& file, const std::string& name) {
  file.close();
  if (file) return {};
  return fail(ErrorKind::environment, "cannot write " + name, std::strerror(errno),
              "the file is incomplete: free space, or write it elsewhere");
}

void write_samples(std::ofstream& file, const std::string& transfer, const StreamResult& stream,
                   const char* end, const std::vector<TcpSample>& samples) {
  for (const auto& sample : samples) {
    Json line{{"transfer", transfer}, {"from", stream.from}, {"to", stream.to}, {"end", end}};
    line.update(json_of(sample));
    file << json_document(line, kJsonInOneLine);
  }
}

Result<void> write_tcp_info(const std::string& name, const RunResult& result) {
  std::ofstream file(name);
  for (const auto& transfer : result.transfers) {
    for (const auto& stream : transfer.streams) {
      write_samples(file, transfer.name, stream, "sender", stream.samples);
      write_samples(file, transfer.name, stream, "receiver", stream.receiver_samples);
    }
  }
  return finish(file, name);
}

}  // namespace

Result<void> write_truth(const std::string& directory, const Scenario& scenario, Variant variant,
                         const World& world, const RunResult& result) {
  const auto name = directory + "/truth.json";
  std::ofstream file(name);
  // Texts of other programs (errors of commands) need not be UTF-8.
  file << json_document(truth_json(scenario, variant, world, result));
  if (const auto done = finish(file, name); !done) return done;
  return write_tcp_info(directory + "/tcp_info.jsonl", result);
}

}  // namespace slowpath::lab
