// SPDX-License-Identifier: Apache-2.0
// One interface of a host's facts.
#include "report/machine_json.h"

namespace slowpath::report {
namespace {

using Json = nlohmann::ordered_json;

Json features_of(const InterfaceFacts& interface) {
  Json features = Json::object();
  for (const auto& [name, state] : interface.features) {
    Json feature{{"on", state.on}, {"fixed", state.fixed}};
    put(feature, "requested", state.requested);
    features[name] = std::move(feature);
  }
  return features;
}

Json rings_of(const RingFacts& rings) {
  Json json = Json::object();
  put(json, "rx", rings.rx);
  put(json, "tx", rings.tx);
  put(json, "rx_max", rings.rx_max);
  put(json, "tx_max", rings.tx_max);
  return json;
}

Json channels_of(const ChannelFacts& channels) {
  Json json = Json::object();
  put(json, "rx", channels.rx);
  put(json, "tx", channels.tx);
  put(json, "combined", channels.combined);
  put(json, "rx_max", channels.rx_max);
  put(json, "tx_max", channels.tx_max);
  put(json, "combined_max", channels.combined_max);
  return json;
}

Json coalesce_of(const CoalesceFacts& coalesce) {
  Json json = Json::object();
  put(json, "rx_us", coalesce.rx_us);
  put(json, "rx_frames", coalesce.rx_frames);
  put(json, "tx_us", coalesce.tx_us);
  put(json, "tx_frames", coalesce.tx_frames);
  put(json, "adaptive_rx", coalesce.adaptive_rx);
  put(json, "adaptive_tx", coalesce.adaptive_tx);
  return json;
}

Json rss_of(const RssFacts& rss) {
  Json json = Json::object();
  put_all(json, "indirection", rss.indirection);
  put(json, "hash", rss.hash);
  put_all(json, "fields", rss.fields);
  return json;
}

void put_link(Json& json, const InterfaceFacts& interface) {
  if (interface.index > 0) json["index"] = interface.index;
  put(json, "kind", interface.kind);
  put(json, "alias", interface.alias);
  put(json, "up", interface.up);
  put(json, "carrier", interface.carrier);
  put(json, "promiscuous", interface.promiscuous);
  put(json, "mtu_bytes", interface.mtu_bytes);
  put(json, "mtu_max_bytes", interface.mtu_max_bytes);
  put(json, "master", interface.master);
  put(json, "lower", interface.lower);
  Json addresses = Json::array();
  for (const IpAddress& address : interface.addresses) addresses.push_back(to_string(address));
  put_all(json, "addresses", addresses);
}

void put_device(Json& json, const InterfaceFacts& interface) {
  put(json, "driver", interface.driver);
  put(json, "driver_version", interface.driver_version);
  put(json, "firmware", interface.firmware);
  put(json, "bus", interface.bus);
  put(json, "speed_bps", interface.speed_bps);
  put(json, "duplex", interface.duplex);
  put_all(json, "features", features_of(interface));
  put_all(json, "properties", interface.properties);
  put_all(json, "rings", rings_of(interface.rings));
  put_all(json, "channels", channels_of(interface.channels));
  put_all(json, "coalesce", coalesce_of(interface.coalesce));
  put_all(json, "rss", rss_of(interface.rss));
}

void put_counts(Json& json, const InterfaceFacts& interface) {
  put_all(json, "statistics", interface.statistics);
  put_all(json, "statistic_rates_per_s", interface.statistic_rates);
  put(json, "qdisc", interface.qdisc);
  put(json, "tx_queue_len_packets", interface.tx_queue_len);
  put_all(json, "qdisc_statistics", interface.qdisc_statistics);
  put_all(json, "qdisc_rates_per_s", interface.qdisc_rates);
  put_all(json, "queue_interrupts", interface.queue_interrupts);
  put_all(json, "queue_interrupt_rates_per_s", interface.queue_interrupt_rates);
  put_all(json, "cpu_interrupts", interface.cpu_interrupts);
  put_all(json, "cpu_interrupt_rates_per_s", interface.cpu_interrupt_rates);
}

}  // namespace

Json interface_to_json(const InterfaceFacts& interface) {
  Json json = Json::object();
  put_link(json, interface);
  put_device(json, interface);
  put_counts(json, interface);
  return json;
}

}  // namespace slowpath::report
