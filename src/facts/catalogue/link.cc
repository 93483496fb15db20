// SPDX-License-Identifier: Apache-2.0
// Faults of the family "link".
#include "facts/catalogue/families.h"

namespace slowpath::catalogue {
namespace {

constexpr Fault kFaults[] = {
    {.id = "duplex-mismatch",
     .name = "One end half, other full duplex",
     .family = Family::link,
     .specialises = "random-loss",
     .proved_by = ProvedBy::host_facts,
     .max_severity = Severity::fault,
     .at_sender = "Fine at low load, collapses when both directions carry data; loss in bursts",
     .at_receiver = "Late collisions one side, CRC/runts the other",
     .at_midpath = "",
     .at_host = "ethtool: Half; collisions, late_collisions vs rx_crc/align",
     .active = "UDP one-way fine, TCP terrible; asymmetric",
     .told_apart_by = "Bad cable: CRC on both, no late collisions",
     .minimum_evidence = "Counters of both ends",
     .remedies = {},
     .references = ""},
};

}  // namespace

std::span<const Fault> link_faults() { return kFaults; }

}  // namespace slowpath::catalogue
