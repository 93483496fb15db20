// SPDX-License-Identifier: Apache-2.0
#include "machine/live/links.h"

#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "machine/live/host_files.h"
#include "machine/live/link_kinds.h"
#include "machine/live/routes.h"

namespace slowpath::machine {
namespace {

using netlink::Attributes;

// struct rtnl_link_stats64 in its order; kernels only ever add at the end.
constexpr auto kStatistics = std::to_array<const char*>({
    "rx_packets",
    "tx_packets",
    "rx_bytes",
    "tx_bytes",
    "rx_errors",
    "tx_errors",
    "rx_dropped",
    "tx_dropped",
    "multicast",
    "collisions",
    "rx_length_errors",
    "rx_over_errors",
    "rx_crc_errors",
    "rx_frame_errors",
    "rx_fifo_errors",
    "rx_missed_errors",
    "tx_aborted_errors",
    "tx_carrier_errors",
    "tx_fifo_errors",
    "tx_heartbeat_errors",
    "tx_window_errors",
    "rx_compressed",
    "tx_compressed",
    "rx_nohandler",
    "rx_otherhost_dropped",
});

constexpr auto kOperationalStates = std::to_array<const char*>(
    {"unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"});

void apply_statistics(Bytes stats, InterfaceFacts& facts) {
  for (std::size_t i = 0; i < kStatistics.size() && (i + 1) * 8 <= stats.size(); ++i) {
    facts.statistics[kStatistics[i]] = load_le64(stats.data() + i * 8);
  }
}

void apply_state(const Attributes& link, unsigned flags, InterfaceFacts& facts) {
  facts.up = (flags & IFF_UP) != 0;
  if (const auto carrier = link.u8(IFLA_CARRIER)) facts.carrier = *carrier != 0;
  facts.promiscuous = (flags & IFF_PROMISC) != 0 || link.u32(IFLA_PROMISCUITY).value_or(0) != 0;
  if (const auto state = link.u8(IFLA_OPERSTATE); state && *state < kOperationalStates.size()) {
    facts.properties["operstate"] = kOperationalStates[*state];
  }
  if (const auto changes = link.u32(IFLA_CARRIER_CHANGES)) {
    facts.statistics["carrier_changes"] = *changes;
  }
  if (link.nested(IFLA_XDP).u8(IFLA_XDP_ATTACHED).value_or(0) != 0) {
    facts.properties["xdp"] = "attached";
  }
}

void apply_sizes(const Attributes& link, InterfaceFacts& facts) {
  facts.mtu_bytes = link.u32(IFLA_MTU);
  // Zero is the kernel's word for no limit of its own.
  if (const auto most = link.u32(IFLA_MAX_MTU); most && *most != 0) facts.mtu_max_bytes = most;
  facts.tx_queue_len = link.u32(IFLA_TXQLEN);
  struct Size {
    unsigned type;
    const char* property;
  };
  static constexpr Size kSizes[] = {
      {IFLA_GSO_MAX_SIZE, "gso_max_size"},   {IFLA_GSO_MAX_SEGS, "gso_max_segs"},
      {IFLA_GRO_MAX_SIZE, "gro_max_size"},   {IFLA_TSO_MAX_SIZE, "tso_max_size"},
      {IFLA_NUM_RX_QUEUES, "num_rx_queues"}, {IFLA_NUM_TX_QUEUES, "num_tx_queues"}};
  for (const auto& [type, property] : kSizes) {
    if (const auto value = link.u32(type)) facts.properties[property] = std::to_string(*value);
  }
}

void apply_texts(const Attributes& link, InterfaceFacts& facts) {
  facts.alias = link.text(IFLA_IFALIAS);
  facts.qdisc = link.text(IFLA_QDISC);
  struct Text {
    unsigned type;
    const char* property;
  };
  static constexpr Text kTexts[] = {{IFLA_PARENT_DEV_NAME, "parent_device"},
                                    {IFLA_PARENT_DEV_BUS_NAME, "parent_bus"}};
  for (const auto& [type, property] : kTexts) {
    if (auto text = link.text(type); !text.empty()) facts.properties[property] = std::move(text);
  }
}

// The remote end of a veth is told as if it were below; it is beside.
void name_lower(const LinkRecord& link, const std::string& name, InterfaceFacts& facts) {
  if (facts.kind == "veth") {
    facts.properties["peer"] = link.lower_is_elsewhere ? "in another network namespace" : name;
  } else if (link.lower_is_elsewhere) {
    facts.properties["lower"] = "in another network namespace";
  } else if (link.lower_index != facts.index) {
    facts.lower = name;
  }
}

void bind_tunnels(netlink::Socket& socket, std::vector<LinkRecord>& links) {
  for (LinkRecord& link : links) {
    const bool is_bound = link.lower_index != 0 && link.lower_index != link.facts.index;
    if (is_bound || link.lower_is_elsewhere || !link.tunnel_remote) continue;
    link.lower_index = find_route_interface(socket, *link.tunnel_remote).value_or(0);
  }
}

}  // namespace

std::optional<LinkRecord> parse_link(Bytes payload) {
  const auto header = netlink::read_struct<ifinfomsg>(payload);
  if (!header || header->ifi_index <= 0) return std::nullopt;
  const Attributes attributes = netlink::attributes_after(payload, sizeof(ifinfomsg));
  LinkRecord link;
  InterfaceFacts& facts = link.facts;
  facts.name = attributes.text(IFLA_IFNAME);
  if (facts.name.empty()) return std::nullopt;
  facts.index = static_cast<std::uint32_t>(header->ifi_index);
  facts.origin.where = "rtnetlink and ethtool: " + facts.name;
  const Attributes info = attributes.nested(IFLA_LINKINFO);
  facts.kind = header->ifi_type == ARPHRD_LOOPBACK ? "loopback" : info.text(IFLA_INFO_KIND);
  apply_state(attributes, header->ifi_flags, facts);
  apply_sizes(attributes, facts);
  apply_texts(attributes, facts);
  if (const auto stats = attributes.find(IFLA_STATS64)) apply_statistics(*stats, facts);
  link.master_index = attributes.u32(IFLA_MASTER).value_or(0);
  link.lower_index = attributes.u32(IFLA_LINK).value_or(0);
  link.lower_is_elsewhere = attributes.find(IFLA_LINK_NETNSID).has_value();
  apply_kind_data(info.nested(IFLA_INFO_DATA), link);
  return link;
}

std::optional<IpAddress> address_of(Bytes bytes) {
  if (bytes.size() != 4 && bytes.size() != 16) return std::nullopt;
  IpAddress address;
  address.version = bytes.size() == 4 ? 4 : 6;
  std::memcpy(address.bytes.data(), bytes.data(), bytes.size());
  return address;
}

std::optional<AddressRecord> parse_address(Bytes payload) {
  const auto header = netlink::read_struct<ifaddrmsg>(payload);
  if (!header) return std::nullopt;
  const Attributes attributes = netlink::attributes_after(payload, sizeof(ifaddrmsg));
  // IFA_LOCAL is the own end; on a point-to-point link IFA_ADDRESS is the other one.
  auto bytes = attributes.find(IFA_LOCAL);
  if (!bytes) bytes = attributes.find(IFA_ADDRESS);
  const auto address = bytes ? address_of(*bytes) : std::nullopt;
  if (!address) return std::nullopt;
  return AddressRecord{header->ifa_index, *address};
}

InterfaceNames names_of(const std::vector<InterfaceFacts>& interfaces) {
  InterfaceNames names;
  for (const InterfaceFacts& facts : interfaces) names[facts.index] = facts.name;
  return names;
}

std::vector<InterfaceFacts> join_links(std::vector<LinkRecord> links,
                                       const std::vector<AddressRecord>& addresses) {
  InterfaceNames names;
  for (const LinkRecord& link : links) names[link.facts.index] = link.facts.name;
  const auto name = [&](std::uint32_t index) {
    const auto found = names.find(index);
    return found == names.end() ? std::string{} : found->second;
  };
  std::vector<InterfaceFacts> interfaces;
  std::unordered_map<std::uint32_t, std::size_t> places;
  for (LinkRecord& link : links) {
    InterfaceFacts& facts = link.facts;
    facts.master = name(link.master_index);
    if (link.lower_index != 0) name_lower(link, name(link.lower_index), facts);
    for (const auto& [property, index] : link.index_properties) {
      if (auto text = name(index); !text.empty()) facts.properties[property] = std::move(text);
    }
    places[facts.index] = interfaces.size();
    interfaces.push_back(std::move(facts));
  }
  for (const auto& [index, address] : addresses) {
    const auto place = places.find(index);
    if (place != places.end()) interfaces[place->second].addresses.push_back(address);
  }
  return interfaces;
}

void read_links(netlink::Socket& route_socket, MachineFacts& machine) {
  netlink::Request for_links{RTM_GETLINK, NLM_F_DUMP};
  for_links.body(ifinfomsg{});
  auto links = netlink::read_list(route_socket, for_links, [](const netlink::Message& message) {
    return message.type == RTM_NEWLINK ? parse_link(message.payload) : std::nullopt;
  });
  if (!links) {
    add_unread(machine.unread, "interfaces (RTM_GETLINK)", links.error(), "cap_net_admin");
    return;
  }
  netlink::Request for_addresses{RTM_GETADDR, NLM_F_DUMP};
  for_addresses.body(ifaddrmsg{});
  const auto addresses =
      netlink::read_list(route_socket, for_addresses, [](const netlink::Message& message) {
        return message.type == RTM_NEWADDR ? parse_address(message.payload) : std::nullopt;
      });
  if (!addresses) {
    add_unread(machine.unread, "addresses (RTM_GETADDR)", addresses.error(), "cap_net_admin");
  }
  bind_tunnels(route_socket, *links);
  machine.interfaces =
      join_links(*std::move(links), addresses.value_or(std::vector<AddressRecord>{}));
}

}  // namespace slowpath::machine
