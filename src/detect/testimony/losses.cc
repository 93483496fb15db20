// SPDX-License-Identifier: Apache-2.0
// What counters of the hosts say of lost packets and of busy CPUs: a host that drops packets counts
// them, and one whose counters stand at zero dropped none. Counters run since the host was started,
// so that fewer than were lost clear it, and more only speak against it.
#include <algorithm>
#include <array>
#include <numeric>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/testimony/testimony.h"

namespace slowpath::detect {
namespace {

constexpr double kCounted = 0.6;
constexpr double kCleared = 0.7;
// Of the packets lost: with fewer counted since the start, these are not the losses seen.
constexpr double kTooFew = 0.1;
constexpr double kEnough = 0.5;
// Of the interrupts of all receive queues, on one of them.
constexpr double kOneQueue = 0.9;
// And fewer do not tell where packets go.
constexpr std::uint64_t kInterrupts = 1000;
// A core is busy, or idle, at this share of its time over an interval.
constexpr double kBusyCore = 0.95, kCalmCore = 0.6;

void weigh_drops(const Hearing& hearing, const CounterSum& drops, const std::string& host,
                 Testimonies& said) {
  if (drops.read == 0) return;
  const auto lost = static_cast<double>(hearing.transfer.data().lost_packets);
  const auto dropped = static_cast<double>(drops.sum);
  if (dropped < kTooFew * lost || drops.sum == 0) {
    said.push_back(refutes(
        kCleared,
        counter(drops.sum == 0 ? fmt::format("{} counts no packet that it dropped itself", host)
                               : fmt::format("{} dropped {} packets since it was started, and {} "
                                             "were lost here: {}",
                                             host, drops.sum, lost, drops.told),
                drops.values)));
    return;
  }
  Testimony word =
      confirms(dropped >= kEnough * lost ? kCounted : kCounted / 2,
               counter(fmt::format("{} drops packets itself: {}", host, drops.told), drops.values));
  word.proves = dropped >= kEnough * lost;
  said.push_back(std::move(word));
}

CounterSum together(CounterSum a, const CounterSum& b) {
  a.read += b.read;
  a.sum += b.sum;
  if (!a.told.empty() && !b.told.empty()) a.told += ", ";
  a.told += b.told;
  a.values.add(b.values);
  return a;
}

void ask_receiver_drops(const Hearing& hearing, Testimonies& said) {
  constexpr std::array<std::string_view, 3> kHost{"SoftnetDropped", "TcpExtTCPBacklogDrop",
                                                  "TcpExtTCPRcvQDrop"};
  constexpr std::array<std::string_view, 6> kNic{"rx_missed",      "rx_no_buffer", "rx_fifo_errors",
                                                 "rx_over_errors", "rx_discards",  "out_of_buffer"};
  if (!hearing.receiver) return;
  CounterSum drops = sum_of(*hearing.receiver.machine, kHost);
  // Nobody is cleared by half of the counters.
  if (hearing.receiver.interface == nullptr && drops.sum == 0) return;
  if (hearing.receiver.interface != nullptr)
    drops = together(std::move(drops), sum_of(*hearing.receiver.interface, kNic));
  weigh_drops(hearing, drops, name_of(*hearing.receiver.machine), said);
  constexpr std::array<std::string_view, 1> kSqueezed{"SoftnetTimeSqueeze"};
  const CounterSum squeezed = sum_of(*hearing.receiver.machine, kSqueezed);
  if (squeezed.sum > 0 && drops.sum > 0)
    said.push_back(explains(counter(
        fmt::format("{} times its CPUs had more packets waiting than net.core.netdev_budget allows",
                    squeezed.sum),
        squeezed.values)));
}

void ask_queues(const Hearing& hearing, Testimonies& said) {
  const InterfaceFacts* interface = hearing.receiver.interface;
  if (!hearing.receiver || interface == nullptr) return;
  const std::string where = interface->name + " of " + name_of(*hearing.receiver.machine);
  const std::vector<std::uint64_t>& queues = interface->queue_interrupts;
  const std::uint64_t all = std::accumulate(queues.begin(), queues.end(), std::uint64_t{0});
  if (queues.size() > 1 && all >= kInterrupts) {
    const std::uint64_t most = std::ranges::max(queues);
    const double share = static_cast<double>(most) / static_cast<double>(all);
    Evidence evidence =
        counter(fmt::format("of {} interrupts of {} receive queues of {}, one has {}", all,
                            queues.size(), where, format_percent(share)),
                {{"busiest_queue_share", share}});
    said.push_back(share >= kOneQueue ? confirms(kCounted, std::move(evidence))
                                      : refutes(kCleared, std::move(evidence)));
    return;
  }
  const ChannelFacts& channels = interface->channels;
  const std::uint32_t receiving = channels.combined.value_or(0) + channels.rx.value_or(0),
                      possible = channels.combined_max.value_or(0) + channels.rx_max.value_or(0);
  if (receiving == 0) return;
  Evidence evidence = setting(fmt::format("{} receives with {} of {} queues", where, receiving,
                                          std::max(possible, receiving)),
                              {{"receive_queues", receiving}});
  if (receiving == 1) {
    said.push_back(confirms(kCounted, std::move(evidence)));
  } else {
    said.push_back(explains(std::move(evidence)));
  }
}

void ask_pruning(const Hearing& hearing, Testimonies& said) {
  constexpr std::array<std::string_view, 4> kPruned{"TcpExtPruneCalled", "TcpExtRcvPruned",
                                                    "TcpExtOfoPruned", "TcpExtTCPRcvCollapsed"};
  if (!hearing.receiver) return;
  const CounterSum pruned = sum_of(*hearing.receiver.machine, kPruned);
  if (pruned.read == 0) return;
  const std::string host = name_of(*hearing.receiver.machine);
  if (pruned.sum == 0) {
    said.push_back(refutes(
        kCleared,
        counter(fmt::format("{} never pruned a receive queue since it was started", host))));
    return;
  }
  Testimony word = confirms(
      kCounted,
      counter(fmt::format("{} pruned receive queues: {}", host, pruned.told), pruned.values));
  word.proves = pruned.sum >= hearing.transfer.data().reneged.count;
  said.push_back(std::move(word));
}

/// Only of an interval: since the start says nothing about now.
void ask_cpu(const Hearing& hearing, Testimonies& said) {
  if (!hearing.sender || !hearing.sender.machine->interval_s) return;
  const CpuFacts* busiest = nullptr;
  double most = 0;
  for (const CpuFacts& cpu : hearing.sender.machine->cpus) {
    const double busy = cpu.user_s + cpu.system_s + cpu.softirq_s + cpu.steal_s;
    const double whole = busy + cpu.idle_s;
    if (whole <= 0 || busy / whole < most) continue;
    most = busy / whole;
    busiest = &cpu;
  }
  if (busiest == nullptr) return;
  Evidence evidence =
      counter(fmt::format("the busiest core of {} (cpu{}) worked for {} of {}",
                          name_of(*hearing.sender.machine), busiest->number, format_percent(most),
                          format_duration(*hearing.sender.machine->interval_s)),
              {{"busiest_core_share", most}});
  if (most >= kBusyCore) said.push_back(confirms(kCounted, std::move(evidence)));
  if (most < kCalmCore) said.push_back(refutes(kCleared, std::move(evidence)));
}

void ask_allowance(const Hearing& hearing, Testimonies& said) {
  constexpr std::array<std::string_view, 2> kAllowance{"bw_out_allowance_exceeded",
                                                       "pps_allowance_exceeded"};
  if (!hearing.sender || hearing.sender.interface == nullptr) return;
  const CounterSum exceeded = sum_of(*hearing.sender.interface, kAllowance);
  if (exceeded.read == 0) return;
  const std::string where =
      hearing.sender.interface->name + " of " + name_of(*hearing.sender.machine);
  if (exceeded.sum == 0) {
    said.push_back(
        refutes(kCleared, counter(fmt::format("{} never exceeded its allowance", where))));
    return;
  }
  Testimony word = confirms(
      kCounted,
      counter(fmt::format("the provider held {} back: {}", where, exceeded.told), exceeded.values));
  word.proves = true;
  said.push_back(std::move(word));
}

void ask_duplex(const Hearing& hearing, Testimonies& said) {
  constexpr std::array<std::string_view, 1> kCollisions{"collision"};
  for (const Witness* witness : {&hearing.sender, &hearing.receiver}) {
    if (!*witness || witness->interface == nullptr || witness->interface->duplex.empty()) continue;
    const std::string where = witness->interface->name + " of " + name_of(*witness->machine);
    if (witness->interface->duplex == "half") {
      Testimony word = confirms(kCounted, setting(where + " runs at half duplex"));
      const CounterSum collisions = sum_of(*witness->interface, kCollisions);
      word.proves = collisions.sum > 0;
      said.push_back(std::move(word));
      if (collisions.sum > 0)
        said.push_back(explains(counter(where + ": " + collisions.told, collisions.values)));
    } else {
      // The other end of its cable may still be at half duplex.
      said.push_back(explains(setting(where + " runs at full duplex")));
    }
  }
}

/// Drops of the sender's own queue are seen at once by its TCP.
void ask_own_queue(const Hearing& hearing, Testimonies& said) {
  const InterfaceFacts* interface = hearing.sender.interface;
  if (!hearing.sender || interface == nullptr) return;
  const auto drops = interface->qdisc_statistics.find("drops");
  if (drops == interface->qdisc_statistics.end()) return;
  const std::string where =
      fmt::format("{} of {}{}", interface->name, name_of(*hearing.sender.machine),
                  interface->qdisc.empty() ? "" : " (" + interface->qdisc + ")");
  said.push_back(explains(counter(
      drops->second > 0
          ? fmt::format("the queue of {} itself dropped {} packets", where, drops->second)
          : fmt::format("the queue of {} dropped nothing: the full one is further away", where),
      {{"qdisc_drops", static_cast<double>(drops->second)}})));
}

/// Whether it was the host's own link that went. When it did, no counter tells: nothing is decided.
void ask_link(const Witness& witness, Testimonies& said) {
  constexpr std::array<std::string_view, 1> kChanges{"carrier_changes"};
  constexpr std::uint64_t kCameUp = 1;  // once, when the host was started
  if (!witness || witness.interface == nullptr) return;
  const CounterSum changes = sum_of(*witness.interface, kChanges);
  if (changes.read == 0) return;
  const std::string where = witness.interface->name + " of " + name_of(*witness.machine);
  said.push_back(explains(counter(
      changes.sum <= kCameUp
          ? fmt::format("the link of {} never went: the outage lies beyond it", where)
          : fmt::format("the link of {} went or came {} times since the host was started: compare "
                        "its log with the time of the outage",
                        where, changes.sum),
      {{"carrier_changes", static_cast<double>(changes.sum)}})));
}

void ask_links(const Hearing& hearing, Testimonies& said) {
  ask_link(hearing.sender, said);
  ask_link(hearing.receiver, said);
}

constexpr std::array kQuestions{
    Questioning{"receiver-cpu-drops", ask_receiver_drops},
    Questioning{"rss-one-queue", ask_queues},
    Questioning{"rcvbuf-pruned", ask_pruning},
    Questioning{"sender-cpu-limited", ask_cpu},
    Questioning{"vm-egress-cap", ask_allowance},
    Questioning{"duplex-mismatch", ask_duplex},
    Questioning{"congestion-self", ask_own_queue},
    Questioning{"bufferbloat", ask_own_queue},
    Questioning{"path-outage", ask_links},
};

}  // namespace

std::span<const Questioning> loss_questions() { return kQuestions; }

}  // namespace slowpath::detect
