// SPDX-License-Identifier: Apache-2.0
// A knob is one value of this host that a step may turn, and can be turned back: it has a name, and
// its value is text.
//
//   sysctl:net.ipv4.tcp_sack             1
//   feature:eth0:tx-tcp-segmentation     on, off: what is asked of the driver
//   mtu:eth0                             1500
//   queue-length:eth0                    1000
//   ring:eth0:rx, ring:eth0:tx           4096
//   channels:eth0:combined (or rx, tx)   4
//   rss:eth0:table                       "128 buckets equal 4": see rss_knob.h
//   qdisc:eth0                           fq, fq_codel, "default mq fq_codel": see qdisc_knob.h
//   qdisc-option:eth0:limit              "pfifo 1000": see qdisc_option_knob.h
//   link:eth0                            "autoneg on 0x..", "autoneg off 100 full": link_knob.h
//   mss-clamp:any, mss-clamp:wg0         on, off: see mss_clamp.h
//   route:eth0:mtu@10.0.0.2/32           1400, "1400 lock", none, absent: see route_knob.h
#pragma once

#include <compare>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace slowpath::fix {

enum class KnobKind : std::uint8_t {
  sysctl,
  feature,
  mtu,
  queue_length,
  ring,
  channels,
  rss,
  qdisc,
  qdisc_option,
  link,
  route,
  mss_clamp
};

struct Knob {
  KnobKind kind = KnobKind::sysctl;
  std::string interface;  // empty for sysctl and mss-clamp
  std::string item;  // the sysctl's name, the feature, "rx", "tx", "combined", "table", "limit",
                     // "mtu@10.0.0.2/32", "any"; empty for those of an interface alone

  friend auto operator<=>(const Knob&, const Knob&) = default;
};

/// As above. The reverse of parse_knob().
std::string to_string(const Knob& knob);
/// Errors: usage, with the forms that there are.
Result<Knob> parse_knob(std::string_view name);

/// What blanks part.
std::vector<std::string> words_of(std::string_view text);
/// Its words with one space between them, as values are compared.
std::string single_spaced(std::string_view text);

/// One knob and what it shall be.
struct Change {
  Knob knob;
  std::string value;
  friend bool operator==(const Change&, const Change&) = default;
};

/// Where knobs are. The kernel that runs, or a test's model of one.
class Kernel {
 public:
  virtual ~Kernel() = default;
  Kernel() = default;
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;

  /// The value now, white space between its words made single. Errors: environment, with what is
  /// missing.
  virtual Result<std::string> read(const Knob& knob) = 0;
  /// Sets it. Errors: environment; usage where the kernel refuses the value or the driver holds it
  /// fixed.
  virtual Result<void> write(const Knob& knob, const std::string& value) = 0;
  /// The features of an interface that can be changed. Errors: environment.
  virtual Result<std::vector<std::string>> changeable_features(const std::string& interface) = 0;
};

/// The host that the program runs on, in its network namespace: sysctl files and ioctls
/// (netdevice(7), SIOCETHTOOL).
std::unique_ptr<Kernel> this_host();

}  // namespace slowpath::fix
