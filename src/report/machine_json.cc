// SPDX-License-Identifier: Apache-2.0
#include "report/machine_json.h"

#include <fmt/format.h>

namespace slowpath::report {
namespace {

using Json = nlohmann::ordered_json;

Json route_to_json(const RouteFacts& route) {
  Json json{
      {"destination", route.destination.version == 0
                          ? "default"
                          : fmt::format("{}/{}", to_string(route.destination), route.prefix_len)}};
  if (route.gateway) json["gateway"] = to_string(*route.gateway);
  put(json, "interface", route.interface);
  put(json, "table", route.table);
  put(json, "type", route.type);
  put(json, "metric", route.metric);
  put(json, "mtu_bytes", route.mtu_bytes);
  put(json, "mtu_locked", route.mtu_locked);
  put(json, "advmss_bytes", route.advmss);
  put(json, "initcwnd_segments", route.initcwnd);
  put(json, "initrwnd_segments", route.initrwnd);
  put(json, "window_bytes", route.window);
  put(json, "quickack", route.quickack);
  put(json, "rto_min_s", route.rto_min_s);
  put(json, "congestion_control", route.congestion_control);
  if (route.is_exception) json["is_exception"] = true;
  put(json, "expires_s", route.expires_s);
  return json;
}

Json cpu_to_json(const CpuFacts& cpu) {
  Json json{{"number", cpu.number},       {"user_s", cpu.user_s},   {"system_s", cpu.system_s},
            {"softirq_s", cpu.softirq_s}, {"steal_s", cpu.steal_s}, {"idle_s", cpu.idle_s}};
  put(json, "softnet_processed", cpu.softnet_processed);
  put(json, "softnet_dropped", cpu.softnet_dropped);
  put(json, "softnet_time_squeeze", cpu.softnet_time_squeeze);
  return json;
}

Json measured_to_json(const MeasuredFacts& measured) {
  Json json{{"program", measured.program}};
  put(json, "goodput_bps", measured.goodput_bps);
  put(json, "rtt_min_s", measured.rtt_min_s);
  put(json, "rtt_median_s", measured.rtt_median_s);
  put(json, "loss_share", measured.loss_share);
  put(json, "retransmits", measured.retransmits);
  put(json, "window_bytes", measured.window_bytes);
  put(json, "payload_bytes", measured.payload_bytes);
  put(json, "dont_fragment", measured.dont_fragment);
  put(json, "largest_passed_bytes", measured.largest_passed_bytes);
  put(json, "smallest_failed_bytes", measured.smallest_failed_bytes);
  put(json, "origin", measured.origin.where);
  return json;
}

template <typename Items, typename ToJson>
Json list_of(const Items& items, const ToJson& to_json) {
  Json list = Json::array();
  for (const auto& item : items) list.push_back(to_json(item));
  return list;
}

template <typename Told>
Json values_of(const Told& told) {
  Json values = Json::object();
  for (const auto& [key, each] : told) values[key] = each.value;
  return values;
}

}  // namespace

Json machine_to_json(const MachineFacts& facts) {
  Json interfaces = Json::object();
  for (const InterfaceFacts& interface : facts.interfaces)
    interfaces[interface.name] = interface_to_json(interface);
  Json json{{"settings", values_of(facts.settings)},
            {"counters", values_of(facts.counters)},
            {"interfaces", std::move(interfaces)},
            {"routes", list_of(facts.routes, route_to_json)},
            {"sockets", list_of(facts.sockets, socket_to_json)},
            {"cpus", list_of(facts.cpus, cpu_to_json)}};
  put_all(json, "counter_rates_per_s", facts.counter_rates);
  if (facts.clock_source) json["clock_source"] = *facts.clock_source;
  put_all(json, "congestion_controls", facts.congestion_controls);
  put_all(json, "packages", facts.packages);
  if (!facts.measured.empty()) json["measured"] = list_of(facts.measured, measured_to_json);
  return json;
}

}  // namespace slowpath::report
