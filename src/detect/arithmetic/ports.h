// SPDX-License-Identifier: Apache-2.0
// How many connections a second one side can open before it runs out of ports.
#pragma once

namespace slowpath::arithmetic {

/// Default ephemeral ranges: Linux net.ipv4.ip_local_port_range 32768..60999, Windows 49152..65535
/// (RFC 6056's dynamic range); SNAT ports of an Azure VM without an outbound rule.
inline constexpr double kLinuxPorts = 28232;
inline constexpr double kWindowsPorts = 16384;
inline constexpr double kAzureSnatPorts = 1024;

/// Seconds in TIME_WAIT: Linux' fixed TCP_TIMEWAIT_LEN; Windows since 8/2012 and before; 2·MSL of
/// RFC 9293 section 3.4.2 is 240.
inline constexpr double kLinuxTimeWaitSeconds = 60;
inline constexpr double kWindowsTimeWaitSeconds = 120;

/// Connections a second, sustained, to one destination address and port: each closed one keeps its
/// port for TIME_WAIT. Infinite without TIME_WAIT.
double connections_per_second(double ports, double time_wait_s);

/// Ports that such a rate of new connections needs.
constexpr double ports_needed(double connections_a_second, double time_wait_s) {
  return connections_a_second * time_wait_s;
}

}  // namespace slowpath::arithmetic
