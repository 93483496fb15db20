// SPDX-License-Identifier: Apache-2.0
// The catalogue of faults: what each one is, how it shows at each place, what it is mistaken for
// and what to do about it. Plain tables with static lifetime, one file a family in
// facts/catalogue/. The ids are those of the program, its output, its documents, its tests and its
// lab. How a fault is detected is not here but in detect/detectors/, one file a fault.
#pragma once

#include <span>
#include <string_view>

#include "facts/severity.h"

// GNU dialects define `linux` as 1, which would break Platform::linux below.
#ifdef linux
#undef linux
#endif

namespace slowpath {

/// Where the cause lives. Catalogue order.
enum class Family {
  segmentation,
  integrity,
  mtu,
  window,
  network,
  link,
  host,
  middlebox,
  connection,
};

/// What it takes for severity `fault`; with less a finding is at most `suspect`.
enum class ProvedBy { one_capture, two_captures, host_facts };

/// The system on which a remedy's command exists. `any`: words, or no system's own command.
enum class Platform { linux, windows, solaris, esxi, cloud, any };

/// Where a step is done. The report turns it into an address where it knows one.
enum class Role { sender, receiver, client, server, gateway, path, capture_host, both_ends };

/// "segmentation", "mtu" ...: the words of the JSON contract. Static lifetime.
std::string_view to_string(Family family);
/// "one capture", "two captures", "host facts".
std::string_view to_string(ProvedBy proved_by);
/// "linux", "windows", "solaris", "esxi", "cloud", "any".
std::string_view to_string(Platform platform);
/// "sender", "capture host", "both ends" ...: words for a person.
std::string_view to_string(Role role);

/// The undo of a step that only looks.
inline constexpr std::string_view kNothingToUndo = "not needed: changes nothing permanently";

/// One change (or one look), small enough to be proved by measuring before and after.
/// Capitals in commands are placeholders: DEV a network device, DST an address, OLD the noted
/// value.
struct RemedyStep {
  Platform platform = Platform::any;
  Role where = Role::sender;
  std::string_view action;   // what to run, change or check ("do" in the JSON contract)
  std::string_view undo;     // its exact reverse, or kNothingToUndo; never empty
  std::string_view source;   // RFC, manual page, kernel document, vendor note or public issue
  bool check_first = false;  // the exact command was not certain: read the source before running it
  double most_rtt_s = 0;     // a longer round trip makes it void; 0: none does

  [[nodiscard]] constexpr bool only_looks() const { return undo == kNothingToUndo; }
};

/// One entry of the catalogue. A text that does not apply to a fault is empty, save `name`,
/// `told_apart_by`, `minimum_evidence`, `remedies` and `references`, which never are.
struct Fault {
  std::string_view id;  // "lso-not-segmented"
  std::string_view name;
  Family family = Family::segmentation;
  std::string_view specialises;  // id of the general fault that folds into this one, or empty
  ProvedBy proved_by = ProvedBy::one_capture;
  Severity max_severity = Severity::fault;
  std::string_view at_sender;            // what a capture at the sender shows
  std::string_view at_receiver;          // what a capture at the receiver shows
  std::string_view at_midpath;           // what a capture at a gateway or switch shows
  std::string_view at_host;              // settings and counters of the machines
  std::string_view active;               // what a test shows
  std::string_view told_apart_by;        // look-alikes, and the fact that separates them
  std::string_view minimum_evidence;     // below this it is at most `suspect`
  std::span<const RemedyStep> remedies;  // in the order in which to try them
  std::string_view references;
};

/// All faults, family by family, in catalogue order. Static lifetime.
std::span<const Fault> all_faults();

/// The fault with this id, or nullptr. Static lifetime.
const Fault* find_fault(std::string_view id);

/// Whether `special` is a special case of `general`, directly or over several steps. A fault is not
/// a special case of itself; unknown ids are related to nothing.
bool is_specialisation_of(std::string_view special, std::string_view general);

}  // namespace slowpath
