// SPDX-License-Identifier: Apache-2.0
// The order in which the parts of this host are read; each part is a file of live/.
#include "machine/live.h"

#include <linux/netlink.h>

#include <thread>

#include "machine/live/counters.h"
#include "machine/live/cpu.h"
#include "machine/live/device.h"
#include "machine/live/ethtool_ioctl.h"
#include "machine/live/ethtool_netlink.h"
#include "machine/live/firewall.h"
#include "machine/live/host.h"
#include "machine/live/host_files.h"
#include "machine/live/interrupts.h"
#include "machine/live/links.h"
#include "machine/live/qdisc.h"
#include "machine/live/routes.h"
#include "machine/live/sockets.h"
#include "machine/live/sysctl.h"
#include "machine/netlink.h"

namespace slowpath::machine {
namespace {

using Clock = std::chrono::steady_clock;

/// A reading and when it was taken.
struct Reading {
  MachineFacts machine;
  Clock::time_point at;
};

// Everything that moves. The routes come along: they need the same socket and the interfaces'
// names.
Reading read_moving(const HostFiles& files) {
  Reading reading{.machine = {}, .at = Clock::now()};
  MachineFacts& machine = reading.machine;
  machine.platform = Platform::linux;
  machine.live = true;
  read_cpus(files, machine);
  read_counters(files, machine);
  if (auto socket = netlink::Socket::open(NETLINK_ROUTE)) {
    socket->check_strictly();
    read_links(*socket, machine);
    read_qdiscs(*socket, machine);
    read_routes(*socket, machine);
  } else {
    add_unread(machine.unread, "interfaces and routes (rtnetlink)", socket.error(), "");
  }
  read_ethtool_ioctl(read_ethtool_netlink(machine), machine);
  read_interrupts(files, machine);
  return reading;
}

}  // namespace

MachineFacts read_machine(const LiveOptions& options) {
  const HostFiles files{options.file_root};
  Reading reading = read_moving(files);
  if (options.interval > std::chrono::nanoseconds::zero()) {
    std::this_thread::sleep_until(reading.at + options.interval);
    Reading second = read_moving(files);
    const double interval_s = std::chrono::duration<double>(second.at - reading.at).count();
    reading.machine = rates_between(reading.machine, std::move(second.machine), interval_s);
  }
  MachineFacts& machine = reading.machine;
  read_host(files, machine);
  read_devices(files, machine);
  read_sysctls(files, machine);
  read_firewall(files, machine);
  if (options.sockets) read_sockets(options.sockets_max, machine);
  return std::move(reading.machine);
}

}  // namespace slowpath::machine
