// SPDX-License-Identifier: Apache-2.0
// Switches of a socket that probes need and that may be refused without harm.
#pragma once

namespace slowpath::probe {

/// setsockopt() of a number; whether the kernel took it.
bool set_option(int fd, int level, int name, int value);

/// DF whatever the kernel has learnt about the path (ip(7), IP_PMTUDISC_PROBE); or none. `version`
/// is IP's: 4 or 6.
bool set_fragmentation(int fd, int version, bool dont_fragment);

}  // namespace slowpath::probe
