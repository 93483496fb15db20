// SPDX-License-Identifier: Apache-2.0
#include "probe/path/socket_switch.h"

#include <netinet/in.h>
#include <sys/socket.h>

namespace slowpath::probe {

bool set_option(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

bool set_fragmentation(int fd, int version, bool dont_fragment) {
  if (version == 6) {
    return set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
                      dont_fragment ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_DONT);
  }
  return set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER,
                    dont_fragment ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT);
}

}  // namespace slowpath::probe
