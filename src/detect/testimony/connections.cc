// SPDX-License-Identifier: Apache-2.0
// What hosts say of connections that do not come about or are cut off: tables that are full, queues
// that overflow, options that a host does not use.
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_firewall.h"
#include "detect/testimony/testimony.h"

namespace slowpath::detect {
namespace {

constexpr double kCounted = 0.6;
constexpr double kCleared = 0.5;
// Of a table or a range of ports.
constexpr double kFull = 0.95, kRoomy = 0.8;

/// The counters say that it happened, or that it never did since the host was started.
struct Counted {
  std::span<const std::string_view> counters;
  std::string_view happened;  // "refused connections because its accept queue was full"
  std::string_view never;     // "never had a full accept queue since it was started"; empty: zero
                              // clears nobody
  /// So many prove it: what the capture shows may be among them. 0: none do, as such counts rise on
  /// healthy hosts too.
  std::uint64_t least = 0;
};

void ask_counters(const MachineFacts& machine, const Counted& what, Testimonies& said) {
  const CounterSum sum = sum_of(machine, what.counters);
  if (sum.read == 0) return;
  if (sum.sum > 0) {
    const bool proves = what.least > 0 && sum.sum >= what.least;
    Testimony word = confirms(
        proves ? kCounted : kCounted / 2,
        counter(fmt::format("{} {}: {}", name_of(machine), what.happened, sum.told), sum.values));
    word.proves = proves;
    said.push_back(std::move(word));
  } else if (!what.never.empty()) {
    said.push_back(refutes(kCleared, counter(fmt::format("{} {}", name_of(machine), what.never))));
  }
}

/// The end that a finding blames for not accepting: the server.
const Witness& server_of(const Hearing& hearing) {
  return hearing.transfer.direction == Direction::to_server ? hearing.receiver : hearing.sender;
}
const Witness& client_of(const Hearing& hearing) {
  return hearing.transfer.direction == Direction::to_server ? hearing.sender : hearing.receiver;
}

void ask_accept_queue(const Hearing& hearing, Testimonies& said) {
  constexpr std::array<std::string_view, 2> kNames{"TcpExtListenOverflows", "TcpExtListenDrops"};
  if (!server_of(hearing)) return;
  ask_counters(
      *server_of(hearing).machine,
      {kNames, "turned connections away because an accept queue was full",
       "never had a full accept queue since it was started", hearing.finding.connections.size()},
      said);
}

void ask_backlog(const Hearing& hearing, Testimonies& said) {
  constexpr std::array<std::string_view, 3> kNames{
      "TcpExtSyncookiesSent", "TcpExtTCPReqQFullDoCookies", "TcpExtTCPReqQFullDrop"};
  if (!server_of(hearing)) return;
  ask_counters(*server_of(hearing).machine,
               {kNames, "had more half-open connections than it keeps",
                "never had too many half-open connections since it was started",
                hearing.finding.connections.size()},
               said);
}

/// A table belongs to a box on the way, or to an end with a firewall of its own.
std::vector<const MachineFacts*> boxes_of(const Hearing& hearing) {
  std::vector<const MachineFacts*> boxes = hearing.forwarders;
  for (const Witness* end : {&hearing.sender, &hearing.receiver}) {
    if (*end) boxes.push_back(end->machine);
  }
  return boxes;
}

void ask_table(const Hearing& hearing, Testimonies& said) {
  constexpr std::array<std::string_view, 2> kDrops{"ConntrackDrop", "ConntrackEarlyDrop"};
  for (const MachineFacts* box : boxes_of(hearing)) {
    const Told<std::uint64_t>*count = find_counter(*box, "ConntrackCount"),
          *most = find_counter(*box, "ConntrackMax");
    const CounterSum drops = sum_of(*box, kDrops);
    if (drops.sum > 0) {
      ask_counters(
          *box, {kDrops, "dropped packets for want of room in its connection table", {}, 1}, said);
    }
    if (count == nullptr || most == nullptr || most->value == 0) continue;
    const double share = static_cast<double>(count->value) / static_cast<double>(most->value);
    Evidence evidence = counter(fmt::format("the connection table of {} holds {} of {}",
                                            name_of(*box), count->value, most->value),
                                {{"conntrack_count", static_cast<double>(count->value)},
                                 {"conntrack_max", static_cast<double>(most->value)}});
    if (share >= kFull) {
      Testimony word = confirms(kCounted, std::move(evidence));
      word.proves = true;
      said.push_back(std::move(word));
    } else if (share < kRoomy && drops.read > 0 && drops.sum == 0) {
      evidence.text += ", and it dropped nothing";
      said.push_back(refutes(kCleared, std::move(evidence)));
    } else {
      said.push_back(explains(std::move(evidence)));
    }
  }
}

void ask_invalid(const Hearing& hearing, Testimonies& said) {
  constexpr std::array<std::string_view, 1> kNames{"ConntrackInvalid"};
  for (const MachineFacts* box : boxes_of(hearing)) {
    ask_counters(*box,
                 {kNames, "took packets of connections for invalid",
                  "never took a packet for invalid since it was started"},
                 said);
    if (value_of(*box, "net.netfilter.nf_conntrack_tcp_be_liberal") == "1")
      said.push_back(refutes(
          kCleared,
          setting(fmt::format("net.netfilter.nf_conntrack_tcp_be_liberal of {} is 1: it lets "
                              "packets outside of the window pass",
                              name_of(*box)))));
    // What is dropped does not leave untranslated, and nothing does where nothing is translated.
    if (const auto drops = dropped_invalid(*box); !drops.empty())
      said.push_back(
          refutes(kCleared, setting(fmt::format("{} drops packets that are invalid: \"{}\"",
                                                name_of(*box), drops.front().rule))));
    if (firewall_has(*box, "nat") == "none")
      said.push_back(
          refutes(kCleared, setting(fmt::format("no rule of {} translates", name_of(*box)))));
  }
}

void ask_translation(const Hearing& hearing, Testimonies& said) {
  constexpr std::array<std::string_view, 1> kNames{"ConntrackInsertFailed"};
  for (const MachineFacts* box : hearing.forwarders) {
    ask_counters(*box,
                 {kNames, "found no free port for connections that it translates",
                  "always found a free port for connections that it translates"},
                 said);
  }
}

void ask_ports(const Hearing& hearing, Testimonies& said) {
  if (!client_of(hearing)) return;
  const MachineFacts& machine = *client_of(hearing).machine;
  auto low = number_of(machine, "net.ipv4.ip_local_port_range"),
       high = number_of(machine, "net.ipv4.ip_local_port_range", 1);
  const auto start = number_of(machine, "netsh.ip.dynamicport.tcp.start-port"),
             ports = number_of(machine, "netsh.ip.dynamicport.tcp.number-of-ports");
  if (start && ports) low = *start, high = *start + *ports - 1;
  const Told<std::uint64_t>* waiting = find_counter(machine, "SockstatTcpTw");
  if (!low || !high || *high < *low) return;
  const double range = *high - *low + 1;
  if (waiting != nullptr && static_cast<double>(waiting->value) >= kFull * range) {
    // To all destinations together, so that it is no proof for one.
    said.push_back(confirms(
        kCounted, counter(fmt::format("{} keeps {} connections in TIME_WAIT and has {:.0f} ports",
                                      name_of(machine), waiting->value, range),
                          {{"time_wait", static_cast<double>(waiting->value)}, {"ports", range}})));
    return;
  }
  said.push_back(explains(setting(fmt::format("{} has {:.0f} ports to one destination ({:.0f} to "
                                              "{:.0f})",
                                              name_of(machine), range, *low, *high),
                                  {{"ports", range}})));
}

/// An end that does not offer an option explains why nobody uses it: nothing stripped it.
void ask_sack(const Hearing& hearing, Testimonies& said) {
  for (const Witness* end : {&hearing.sender, &hearing.receiver}) {
    if (*end && value_of(*end->machine, "net.ipv4.tcp_sack") == "0")
      said.push_back(refutes(
          kCleared, setting(fmt::format("net.ipv4.tcp_sack of {} is 0: it offers no SACK, and "
                                        "nothing on the way took it out",
                                        name_of(*end->machine)))));
  }
}

void ask_fast_open(const Hearing& hearing, Testimonies& said) {
  constexpr std::array<std::string_view, 2> kNames{"TcpExtTCPFastOpenBlackhole",
                                                   "TcpExtTCPFastOpenActiveFail"};
  if (!client_of(hearing)) return;
  ask_counters(*client_of(hearing).machine, {kNames, "noticed that Fast Open does not pass", {}},
               said);
}

void ask_recycling(const Hearing& hearing, Testimonies& said) {
  constexpr std::array<std::string_view, 2> kNames{"TcpExtPAWSPassive",
                                                   "TcpExtPAWSPassiveRejected"};
  if (!server_of(hearing)) return;
  const MachineFacts& machine = *server_of(hearing).machine;
  ask_counters(machine, {kNames, "refused SYNs by their timestamps", {}}, said);
  if (value_of(machine, "net.ipv4.tcp_tw_recycle") == "1")
    said.push_back(confirms(
        kCounted,
        setting(fmt::format("net.ipv4.tcp_tw_recycle of {} is 1: it remembers one clock for each "
                            "address, whoever is behind it",
                            name_of(machine)))));
}

void ask_authentication(const Hearing& hearing, Testimonies& said) {
  constexpr std::array<std::string_view, 5> kNames{"TcpExtTCPMD5NotFound", "TcpExtTCPMD5Unexpected",
                                                   "TcpExtTCPMD5Failure", "TcpExtTCPAOBad",
                                                   "TcpExtTCPAOKeyNotFound"};
  for (const Witness* end : {&hearing.sender, &hearing.receiver}) {
    if (*end)
      ask_counters(*end->machine, {kNames, "refused segments by their signature", {}}, said);
  }
}

constexpr std::array kQuestions{
    Questioning{"accept-queue-overflow", ask_accept_queue},
    Questioning{"syn-backlog-cookies", ask_backlog},
    Questioning{"conntrack-full", ask_table},
    Questioning{"conntrack-invalid", ask_invalid},
    Questioning{"snat-exhausted", ask_translation},
    Questioning{"ephemeral-exhausted", ask_ports},
    Questioning{"sack-stripped", ask_sack},
    Questioning{"tfo-blackhole", ask_fast_open},
    Questioning{"paws-nat-drop", ask_recycling},
    Questioning{"tcp-auth-mismatch", ask_authentication},
};

}  // namespace

std::span<const Questioning> connection_questions() { return kQuestions; }

}  // namespace slowpath::detect
