// SPDX-License-Identifier: Apache-2.0
#include "machine/live/sysctl.h"

#include <algorithm>
#include <cerrno>

namespace slowpath::machine {
namespace {

constexpr std::string_view kSys = "/proc/sys/";

/// Files of one directory whose names begin with one of the words; "" takes all.
struct Pattern {
  const char* directory;
  const char* names;  // prefixes, between spaces
};

constexpr Pattern kPatterns[] = {
    {"net/core",
     "rmem wmem optmem netdev_budget netdev_max_backlog netdev_tstamp dev_weight "
     "somaxconn default_qdisc busy_ rps_ flow_limit gro_ skb_defer high_order txrehash "
     "max_skb_frags"},
    {"net/ipv4",
     "tcp_ ip_ ipfrag_ icmp_ratelimit icmp_ratemask icmp_msgs_ udp_mem udp_rmem "
     "udp_wmem fib_multipath inet_peer"},
    {"net/ipv4/route", "min_pmtu mtu_expires min_adv_mss redirect error_ gc_ max_size"},
    {"net/ipv4/neigh/default", "gc_ unres_qlen"},
    {"net/ipv6", "ip6frag_ fib_multipath auto_flowlabels flowlabel_ "},
    {"net/ipv6/route", "mtu_expires min_adv_mss max_size gc_"},
    {"net/ipv6/icmp", "ratelimit ratemask"},
    {"net/ipv6/neigh/default", "gc_ unres_qlen"},
    {"net/netfilter", "nf_conntrack_"},
    {"net/bridge", "bridge-nf-"},
    {"net/mptcp", "enabled"},
};
/// Files of each interface's directory under these.
constexpr Pattern kOfInterfaces[] = {
    {"net/ipv4/conf",
     "rp_filter forwarding accept_local src_valid_mark arp_filter arp_ignore "
     "accept_redirects send_redirects"},
    {"net/ipv6/conf", "mtu forwarding disable_ipv6 accept_ra accept_redirects"},
};

// A secret, and no setting.
constexpr std::string_view kSecret = "tcp_fastopen_key";

bool is_wanted(std::string_view name, std::string_view prefixes) {
  if (name == kSecret) return false;
  return std::ranges::any_of(words_of(prefixes),
                             [&](std::string_view prefix) { return name.starts_with(prefix); });
}

std::string below(std::string directory, std::string_view name) {
  directory += '/';
  return directory += name;
}

void read_one(const HostFiles& files, const std::string& path, MachineFacts& machine) {
  if (!files.is_readable_kind(path)) return;  // a folder, or a file that can only be written
  const auto text = files.read(path);
  if (text) {
    machine.settings[sysctl_key(path)] = {sysctl_value(*text), {path}};
  } else if (text.error() != ENOENT) {  // the interface went away meanwhile
    // Of the network's settings (net/sysctl_net.c: net_ctl_permissions).
    add_unread(machine.unread, sysctl_key(path), text.error(), "cap_net_admin");
  }
}

void read_directory(const HostFiles& files, const std::string& directory, std::string_view prefixes,
                    MachineFacts& machine) {
  const auto names = files.list(directory);
  if (!names) {
    add_unread(machine.unread, sysctl_key(directory), names.error(), "cap_net_admin");
    return;
  }
  for (const std::string& name : *names) {
    if (is_wanted(name, prefixes)) read_one(files, below(directory, name), machine);
  }
}

void read_congestion_controls(MachineFacts& machine) {
  const auto* available = find_setting(machine, "net.ipv4.tcp_available_congestion_control");
  if (available == nullptr) return;
  for (const std::string_view name : words_of(available->value)) {
    machine.congestion_controls.emplace_back(name);
  }
}

}  // namespace

std::string sysctl_value(std::string_view text) {
  std::string value;
  for (const std::string_view word : words_of(text)) {
    if (!value.empty()) value += ' ';
    value += word;
  }
  return value;
}

std::string sysctl_key(std::string_view path) {
  if (path.starts_with(kSys)) path.remove_prefix(kSys.size());
  std::string key{path};
  for (char& c : key) {
    if (c == '/') {
      c = '.';
    } else if (c == '.') {
      c = '/';
    }
  }
  return key;
}

void read_sysctls(const HostFiles& files, MachineFacts& machine) {
  const std::string sys{kSys};
  for (const auto& [directory, names] : kPatterns) {
    read_directory(files, sys + directory, names, machine);
  }
  for (const auto& [directory, names] : kOfInterfaces) {
    const auto interfaces = files.list(sys + directory);
    if (!interfaces) {
      add_unread(machine.unread, sysctl_key(sys + directory), interfaces.error(), "cap_net_admin");
      continue;
    }
    for (const std::string& interface : *interfaces) {
      read_directory(files, below(sys + directory, interface), names, machine);
    }
  }
  read_congestion_controls(machine);
}

}  // namespace slowpath::machine
