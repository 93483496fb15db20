// SPDX-License-Identifier: Apache-2.0
// What NICs' switches and checksum counters say of faults of segmentation, merging and checksums. A
// NIC that was not asked to do something cannot have done it wrongly; one that was asked may have.
#include <array>
#include <optional>

#include <fmt/format.h>

#include "detect/testimony/testimony.h"

namespace slowpath::detect {
namespace {

// The switch being on makes the fault possible, which half of all hosts do.
constexpr double kPossible = 0.2;
// The switch was perhaps turned after the capture.
constexpr double kImpossible = 0.7;
constexpr double kCounted = 0.5;

/// Whether any of these features is on; nothing where none was read.
std::optional<bool> any_on(const InterfaceFacts& interface,
                           std::initializer_list<std::string_view> names) {
  std::optional<bool> on;
  for (const std::string_view name : names) {
    const auto found = interface.features.find(std::string(name));
    if (found != interface.features.end()) on = on.value_or(false) || found->second.on;
  }
  return on;
}

std::string driver_of(const InterfaceFacts& interface) {
  if (interface.driver.empty()) return {};
  return fmt::format(" (driver {}{}{})", interface.driver,
                     interface.driver_version.empty() ? "" : " ", interface.driver_version);
}

std::string on_host(const Witness& witness) {
  return fmt::format("{} of {}", witness.interface->name, name_of(*witness.machine));
}

/// Large sends, whatever the platform calls them.
std::optional<bool> hands_over_large_sends(const Witness& sender, bool ipv6) {
  if (const auto lso = number_of(*sender.machine, "ndd.ip.ip_lso_outbound")) {
    if (*lso == 0) return false;
  }
  if (sender.interface == nullptr) return std::nullopt;
  return any_on(*sender.interface, {ipv6 ? "tx-tcp6-segmentation" : "tx-tcp-segmentation"});
}

void ask_large_sends(const Hearing& hearing, Testimonies& said) {
  const Witness& sender = hearing.sender;
  if (!sender) return;
  const bool ipv6 = hearing.transfer.sender().address.version == 6;
  const std::optional<bool> on = hands_over_large_sends(sender, ipv6);
  if (!on) return;
  const std::string where =
      sender.interface == nullptr ? name_of(*sender.machine) : on_host(sender);
  if (!*on) {
    said.push_back(refutes(
        kImpossible,
        setting(fmt::format("segmentation offload is off on {}: its NIC is handed nothing to cut",
                            where))));
    return;
  }
  said.push_back(confirms(
      kPossible, setting(fmt::format("segmentation offload is on on {}{}: its NIC is to cut large "
                                     "sends",
                                     where, driver_of(*sender.interface)))));
}

/// Of a box that forwards: whether it merges what it receives.
void ask_forwarders(const Hearing& hearing, Testimonies& said, bool gro_too) {
  for (const MachineFacts* box : hearing.forwarders) {
    bool merges = false, known = false;
    for (const InterfaceFacts& interface : box->interfaces) {
      const std::optional<bool> lro = any_on(interface, {"rx-lro"});
      const std::optional<bool> gro = any_on(interface, {"rx-gro", "rx-gro-hw"});
      const bool on = lro.value_or(false) || (gro_too && gro.value_or(false));
      known = known || lro || (gro_too && gro);
      if (!on) continue;
      merges = true;
      Testimony word =
          confirms(kCounted, setting(fmt::format("{} forwards, and {} is on on its {}{}",
                                                 name_of(*box), lro.value_or(false) ? "LRO" : "GRO",
                                                 interface.name, driver_of(interface))));
      word.proves = lro.value_or(false);
      said.push_back(std::move(word));
    }
    if (known && !merges)
      said.push_back(
          refutes(kImpossible,
                  setting(fmt::format("{} forwards, and none of its interfaces merges segments",
                                      name_of(*box)))));
  }
}

void ask_lro(const Hearing& hearing, Testimonies& said) { ask_forwarders(hearing, said, false); }
void ask_merging(const Hearing& hearing, Testimonies& said) { ask_forwarders(hearing, said, true); }

void ask_coalesced(const Hearing& hearing, Testimonies& said) {
  constexpr std::array<std::string_view, 2> kFails{"IpFragFails", "Ip6FragFails"};
  for (const MachineFacts* box : hearing.forwarders) {
    const CounterSum fails = sum_of(*box, kFails);
    if (fails.sum > 0)
      said.push_back(confirms(
          kCounted, counter(fmt::format("{} refused to forward packets that were too large: {}",
                                        name_of(*box), fails.told),
                            fails.values)));
  }
  if (hearing.sender && hearing.sender.interface != nullptr) {
    const std::optional<bool> on = any_on(*hearing.sender.interface, {"tx-tcp-segmentation"});
    if (on)
      said.push_back(explains(setting(
          *on ? fmt::format("segmentation offload is on on {}: its (virtual) NIC may pass large "
                            "sends on as they are",
                            on_host(hearing.sender))
              : fmt::format("segmentation offload is off on {}: the gateway merges, not its NIC",
                            on_host(hearing.sender)))));
  }
}

void ask_sent_checksums(const Hearing& hearing, Testimonies& said) {
  const Witness& sender = hearing.sender;
  if (sender && sender.interface != nullptr) {
    const bool ipv6 = hearing.transfer.sender().address.version == 6;
    const std::optional<bool> on =
        any_on(*sender.interface,
               {"tx-checksum-ip-generic", ipv6 ? "tx-checksum-ipv6" : "tx-checksum-ipv4"});
    if (on)
      said.push_back(
          *on ? confirms(kPossible,
                         setting(fmt::format("checksum offload is on on {}{}", on_host(sender),
                                             driver_of(*sender.interface))))
              : refutes(kImpossible,
                        setting(fmt::format(
                            "checksum offload is off on {}: its kernel completes every checksum",
                            on_host(sender)))));
  }
}

void ask_seen_checksums(const Hearing& hearing, Testimonies& said) {
  constexpr std::array<std::string_view, 1> kErrors{"TcpInCsumErrors"};
  if (!hearing.receiver) return;
  const CounterSum errors = sum_of(*hearing.receiver.machine, kErrors);
  // A NIC may drop them before the kernel counts: none counted says nothing.
  if (errors.sum > 0)
    said.push_back(
        confirms(kCounted, counter(fmt::format("{} found segments with wrong checksums: {}",
                                               name_of(*hearing.receiver.machine), errors.told),
                                   errors.values)));
}

void ask_bad_arrivals(const Hearing& hearing, Testimonies& said) {
  ask_seen_checksums(hearing, said);
  constexpr std::array<std::string_view, 4> kLine{"rx_crc_errors", "rx_frame_errors", "fec_uncorr",
                                                  "symbol_err"};
  if (!hearing.receiver || hearing.receiver.interface == nullptr) return;
  const CounterSum line = sum_of(*hearing.receiver.interface, kLine);
  if (line.read == 0) return;
  said.push_back(explains(counter(
      line.sum > 0 ? fmt::format("the line at {} itself damages frames: {}",
                                 on_host(hearing.receiver), line.told)
                   : fmt::format("no frame arrived damaged at {}: a box further away did it",
                                 on_host(hearing.receiver)),
      line.values)));
}

void ask_tx_checksums(const Hearing& hearing, Testimonies& said) {
  ask_sent_checksums(hearing, said);
  ask_seen_checksums(hearing, said);
}

void ask_large_sends_and_sums(const Hearing& hearing, Testimonies& said) {
  ask_large_sends(hearing, said);
  ask_seen_checksums(hearing, said);
}

void ask_verification(const Hearing& hearing, Testimonies& said) {
  const Witness& receiver = hearing.receiver;
  if (!receiver || receiver.interface == nullptr) return;
  const std::optional<bool> on = any_on(*receiver.interface, {"rx-checksum"});
  if (!on) return;
  if (!*on) {
    said.push_back(refutes(
        kImpossible,
        setting(fmt::format("{} verifies no checksum: its kernel does", on_host(receiver)))));
    return;
  }
  said.push_back(
      confirms(kPossible, setting(fmt::format("the kernel believes {}{} which checksums are good",
                                              on_host(receiver), driver_of(*receiver.interface)))));
}

constexpr std::array kQuestions{
    Questioning{"lso-not-segmented", ask_large_sends},
    Questioning{"lso-wrong-csum-seed", ask_large_sends_and_sums},
    Questioning{"icmp-fragneeded-coalesced", ask_coalesced},
    Questioning{"lro-on-forwarder", ask_lro},
    Questioning{"gro-forward-broken", ask_merging},
    Questioning{"tx-csum-offload-broken", ask_tx_checksums},
    Questioning{"csum-bad-on-arrival", ask_bad_arrivals},
    Questioning{"rx-csum-skipped", ask_verification},
};

}  // namespace

std::span<const Questioning> offload_questions() { return kQuestions; }

}  // namespace slowpath::detect
