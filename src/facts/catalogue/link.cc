// SPDX-License-Identifier: Apache-2.0
// Faults of the family "link": the physical connection of two devices.
#include "facts/catalogue/families.h"

namespace slowpath::catalogue {
namespace {

using enum Platform;
using enum Role;

constexpr RemedyStep kDuplexMismatch[] = {
    look(linux, both_ends,
         "ethtool DEV, and the same on the switch port: speed and duplex must be negotiated on "
         "both or fixed alike on both",
         "ethtool(8)"),
    change(linux, both_ends, "ethtool -s DEV autoneg on",
           "ethtool -s DEV autoneg off speed OLD duplex OLD; note the old values first with "
           "`ethtool DEV`",
           "ethtool(8), -s; IEEE 802.3 clause 28"),
    unsure(windows, both_ends,
           "Set-NetAdapterAdvancedProperty -Name NIC -DisplayName 'Speed & Duplex' -DisplayValue "
           "'Auto Negotiation', the words depend on the driver",
           "Set-NetAdapterAdvancedProperty -Name NIC -DisplayName 'Speed & Duplex' -DisplayValue "
           "OLD; note the old value first with `Get-NetAdapterAdvancedProperty -Name NIC`",
           "Microsoft Learn: Set-NetAdapterAdvancedProperty"),
    unsure(solaris, both_ends, "dladm set-linkprop -p adv_autoneg_cap=1 LINK",
           "dladm set-linkprop -p adv_autoneg_cap=OLD LINK; note the old value first with `dladm "
           "show-linkprop -p adv_autoneg_cap LINK`",
           "dladm(8)"),
    change(esxi, both_ends, "esxcli network nic set -a -n vmnicX",
           "esxcli network nic set -S SPEED -D DUPLEX -n vmnicX; note the old values first with "
           "`esxcli network nic get -n vmnicX`",
           "VMware: esxcli network nic set"),
};

constexpr Fault kFaults[] = {
    {.id = "duplex-mismatch",
     .name = "One end half, other full duplex",
     .family = Family::link,
     .specialises = "random-loss",
     .proved_by = ProvedBy::host_facts,
     .max_severity = Severity::fault,
     .at_sender = "The link is fine at low load and collapses when both directions carry data; "
                  "losses come in bursts.",
     .at_receiver = "One side counts late collisions, the other CRC errors and runts.",
     .at_midpath = "",
     .at_host = "ethtool shows half duplex on one end. Collisions and late_collisions rise there; "
                "rx_crc_errors or rx_align_errors rise at the other.",
     .active = "UDP in one direction is fine, TCP is terrible, and the two directions differ.",
     .told_apart_by = "A bad cable (`csum-bad-on-arrival`, `random-loss`) gives CRC errors on both "
                      "ends and no late collisions.",
     .minimum_evidence = "The counters of both ends of the link.",
     .remedies = kDuplexMismatch,
     .references = "IEEE 802.3 clause 28; Carlson 2003 (NDT)"},
};

}  // namespace

std::span<const Fault> link_faults() { return kFaults; }

}  // namespace slowpath::catalogue
