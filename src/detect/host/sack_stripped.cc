// SPDX-License-Identifier: Apache-2.0
// sack-stripped: this host itself does not use selective acknowledgements.
#include <array>

#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kWhy =
    "the sender learns of one loss each round trip, and sends much again that had arrived "
    "(RFC 2018)";
constexpr std::string_view kCost = "a round trip for each lost segment of a window";

bool look_at_linux(const Host& host, std::vector<HostFinding>& found) {
  return judge_setting(host,
                       {.key = "net.ipv4.tcp_sack",
                        .bad = "0",
                        .expected = "1",
                        .claim = "selective acknowledgements are switched off",
                        .why = kWhy,
                        .cost = kCost},
                       found);
}

bool look_at_solaris(const Host& host, std::vector<HostFinding>& found) {
  const std::size_t before = found.size();
  const bool is_judged = judge_setting(host,
                                       {.key = "ipadm.tcp.sack",
                                        .bad = "never",
                                        .expected = "active",
                                        .claim = "selective acknowledgements are switched off",
                                        .why = kWhy,
                                        .cost = kCost},
                                       found);
  if (found.size() > before) {
    found.back().steps.push_back({Platform::solaris, "ipadm set-prop -p sack=active tcp",
                                  "ipadm set-prop -p sack=never tcp", "ipadm(8)"});
  }
  return is_judged;
}

constexpr std::array kRules{
    HostRule{"sack-off", Platform::linux, "sysctl -a", "net.ipv4.tcp_sack is 0", look_at_linux},
    HostRule{"sack-off-solaris", Platform::solaris, "ipadm show-prop", "sack is never",
             look_at_solaris},
};

}  // namespace

extern const HostFault sack_stripped;
const HostFault sack_stripped{"sack-stripped", kRules};

}  // namespace slowpath::detect::host
