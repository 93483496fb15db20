// SPDX-License-Identifier: Apache-2.0
#include "machine/live/qdisc.h"

#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include <algorithm>

#include "machine/live/host_files.h"

namespace slowpath::machine {
namespace {

using netlink::Attributes;

void apply_statistics(const Attributes& stats, std::map<std::string, std::uint64_t>& into) {
  // struct gnet_stats_basic is padded to 16 bytes; the kernel sends 12 or 16.
  if (const auto basic = stats.find(TCA_STATS_BASIC); basic && basic->size() >= 12) {
    into["bytes"] = load_le64(basic->data());
    into["packets"] = load_le32(basic->data() + 8);
  }
  if (const auto packets = stats.u64(TCA_STATS_PKT64)) into["packets"] = *packets;
  const auto bytes = stats.find(TCA_STATS_QUEUE);
  const auto queue = bytes ? netlink::read_struct<gnet_stats_queue>(*bytes) : std::nullopt;
  if (!queue) return;
  into["backlog_packets"] = queue->qlen;
  into["backlog_bytes"] = queue->backlog;
  into["drops"] = queue->drops;
  into["requeues"] = queue->requeues;
  into["overlimits"] = queue->overlimits;
}

// Token bucket filter: the rate in bytes per second, of 64 bits if it needs them.
std::optional<std::uint64_t> tbf_rate_bps(const Attributes& options) {
  if (const auto rate = options.u64(TCA_TBF_RATE64)) return *rate * 8;
  const auto bytes = options.find(TCA_TBF_PARMS);
  const auto parameters = bytes ? netlink::read_struct<tc_tbf_qopt>(*bytes) : std::nullopt;
  if (!parameters) return std::nullopt;
  return std::uint64_t{parameters->rate.rate} * 8;
}

// The kinds below the root, each once, in the order they were listed.
void add_leaf(const std::string& kind, std::string& leaves) {
  const std::string marked = "," + leaves + ",";
  if (marked.find("," + kind + ",") != marked.npos) return;
  leaves += (leaves.empty() ? "" : ",") + kind;
}

}  // namespace

std::optional<QdiscRecord> parse_qdisc(Bytes payload) {
  const auto header = netlink::read_struct<tcmsg>(payload);
  if (!header || header->tcm_ifindex <= 0) return std::nullopt;
  const Attributes attributes = netlink::attributes_after(payload, sizeof(tcmsg));
  QdiscRecord qdisc;
  qdisc.interface_index = static_cast<std::uint32_t>(header->tcm_ifindex);
  qdisc.parent = header->tcm_parent;
  qdisc.kind = attributes.text(TCA_KIND);
  apply_statistics(attributes.nested(TCA_STATS2), qdisc.statistics);
  if (qdisc.kind == "tbf") qdisc.rate_bps = tbf_rate_bps(attributes.nested(TCA_OPTIONS));
  return qdisc;
}

void apply_qdisc(const QdiscRecord& qdisc, InterfaceFacts& facts) {
  if (qdisc.parent == TC_H_INGRESS) {  // clsact says the same
    facts.properties["qdisc.ingress"] = qdisc.kind;
    const auto drops = qdisc.statistics.find("drops");
    if (drops != qdisc.statistics.end()) facts.qdisc_statistics["ingress_drops"] = drops->second;
    return;
  }
  if (qdisc.rate_bps) facts.properties["qdisc.rate_bps"] = std::to_string(*qdisc.rate_bps);
  if (qdisc.parent != TC_H_ROOT) {
    add_leaf(qdisc.kind, facts.properties["qdisc.leaves"]);
    return;
  }
  facts.qdisc = qdisc.kind;
  for (const auto& [name, value] : qdisc.statistics) facts.qdisc_statistics[name] = value;
}

void read_qdiscs(netlink::Socket& route_socket, MachineFacts& machine) {
  netlink::Request request{RTM_GETQDISC, NLM_F_DUMP};
  request.body(tcmsg{});
  const auto qdiscs =
      netlink::read_list(route_socket, request, [](const netlink::Message& message) {
        return message.type == RTM_NEWQDISC ? parse_qdisc(message.payload) : std::nullopt;
      });
  if (!qdiscs) {
    add_unread(machine.unread, "queueing disciplines (RTM_GETQDISC)", qdiscs.error(),
               "cap_net_admin");
    return;
  }
  for (const QdiscRecord& qdisc : *qdiscs) {
    const auto place =
        std::ranges::find(machine.interfaces, qdisc.interface_index, &InterfaceFacts::index);
    if (place != machine.interfaces.end()) apply_qdisc(qdisc, *place);
  }
}

}  // namespace slowpath::machine
