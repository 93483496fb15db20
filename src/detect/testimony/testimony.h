// SPDX-License-Identifier: Apache-2.0
// What the hosts at the ends of a transfer, and the boxes between, say of a finding: a setting or a
// counter that bears it out, speaks against it, or says which knob is behind it. Pure: the hosts
// are part of the case. Without hosts there is nothing to hear, and findings stay as they are.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "detect/support.h"
#include "facts/case.h"
#include "facts/finding.h"
#include "facts/machine.h"

namespace slowpath::detect {

/// A host that a finding concerns, with the interface that faces the other end.
struct Witness {
  const MachineFacts* machine = nullptr;      // nullptr: nothing is known of this host
  const InterfaceFacts* interface = nullptr;  // nullptr: not told which
  const SocketFacts* socket = nullptr;        // the connection's own socket

  explicit operator bool() const { return machine != nullptr; }
};

/// A finding with those who can say something about it. Valid while the case lives.
struct Hearing {
  const Finding& finding;
  Transfer transfer;  // of findings about several connections: the first one's heavier direction
  Witness sender, receiver;
  std::vector<const MachineFacts*> forwarders;  // hosts that forward, and are no end of it
};

enum class Word : std::uint8_t { confirms, refutes, explains };

/// One thing that a host says.
struct Testimony {
  Word word = Word::explains;
  /// Confirming: the share of what is missing to certainty that it adds. Refuting: the share of the
  /// confidence that it takes. From kDecides on it also moves the severity.
  double weight = 0;
  Evidence evidence;
  /// With it the catalogue's minimum evidence is complete: a suspect may become a fault.
  bool proves = false;
  /// The special fault that it turns out to be, or empty.
  std::string_view becomes = {};
};
inline constexpr double kDecides = 0.5;

using Testimonies = std::vector<Testimony>;

/// Who knows something about one fault.
struct Questioning {
  std::string_view fault;
  void (*ask)(const Hearing&, Testimonies&);
};

/// One table for each file of this folder.
std::span<const Questioning> offload_questions();
std::span<const Questioning> window_questions();
std::span<const Questioning> loss_questions();
std::span<const Questioning> connection_questions();
std::span<const Questioning> size_questions();

/// Asks the hosts about each finding: adds what they say to its evidence and moves its confidence.
/// What a host refutes is no fault any more, and a suspect becomes a note.
void hear_hosts(const Case& facts, std::vector<Finding>& findings);

// --- what the questions share

/// "A (10.0.0.1)": as its user calls it.
std::string name_of(const MachineFacts& machine);

/// The route of the main table that packets to `peer` take, exceptions left out; or nullptr.
const RouteFacts* route_to(const MachineFacts& machine, const IpAddress& peer);

Testimony confirms(double weight, Evidence evidence);
Testimony refutes(double weight, Evidence evidence);
Testimony explains(Evidence evidence);

Evidence setting(std::string text, Figures values = {});
Evidence counter(std::string text, Figures values = {});

/// The value of a setting, or empty where it was not read.
std::string_view value_of(const MachineFacts& machine, const std::string& key);
/// The number at `place` (from 0) of a setting's value, or nothing.
std::optional<double> number_of(const MachineFacts& machine, const std::string& key,
                                std::size_t place = 0);

/// How many of these counters were read, and their sum; `told` names those that moved, with values.
struct CounterSum {
  std::size_t read = 0;
  std::uint64_t sum = 0;
  std::string told;
  Figures values;
};
CounterSum sum_of(const MachineFacts& machine, std::span<const std::string_view> counters);
/// The same of an interface's statistics: each whose name contains one of `parts`.
CounterSum sum_of(const InterfaceFacts& interface, std::span<const std::string_view> parts);

}  // namespace slowpath::detect
