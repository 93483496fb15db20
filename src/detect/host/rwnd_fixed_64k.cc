// SPDX-License-Identifier: Apache-2.0
// rwnd-fixed-64k: this host's receive window stays at 64 KB or below because automatic tuning is
// off. On Windows often left behind by advice that switches everything off at once.
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kFault = "rwnd-fixed-64k";
constexpr double kUnscaledWindow = 65535;  // RFC 9293 section 3.1: the field's 16 bits
constexpr std::string_view kLevel = "netsh.tcp.global.receive-window-auto-tuning-level";
constexpr std::string_view kOverridden =
    "netsh.tcp.global.receive-window-auto-tuning-level.overridden-by";
constexpr std::string_view kWhy =
    "the receiver advertises what it was tuned to, and the sender may have no more in flight";

HostStep netsh_level(const std::string& now) {
  return {Platform::windows, "netsh int tcp set global autotuninglevel=normal",
          fmt::format("netsh int tcp set global autotuninglevel={}", now),
          "Microsoft Learn: receive window auto-tuning"};
}

void add_level(const Host& host, std::string_view key, HostStep step,
               std::vector<HostFinding>& found) {
  const std::string& level = value_of(host.facts, key);
  found.push_back({.claim = fmt::format("receive window auto-tuning is {}", level),
                   .value = level,
                   .expected = "normal",
                   .why = std::string(kWhy),
                   .cost = window_cost(kUnscaledWindow, host.aim),
                   .evidence = {shown(host.facts, key)},
                   .steps = {std::move(step)}});
}

bool look_at_netsh(const Host& host, std::vector<HostFinding>& found) {
  if (!is_read(host.facts, kLevel)) return false;
  if (is_read(host.facts, kOverridden)) return true;  // another rule's
  for (const std::string_view level : {"disabled", "highlyrestricted"}) {
    if (!says(host.facts, kLevel, level)) continue;
    add_level(host, kLevel, netsh_level(value_of(host.facts, kLevel)), found);
  }
  return true;
}

bool look_at_templates(const Host& host, std::vector<HostFinding>& found) {
  constexpr std::string_view kEnd = ".AutoTuningLevelLocal";
  const std::string begin = "Get-NetTCPSetting.";
  bool is_judged = false;
  for (const auto& [key, told] : host.facts.settings) {
    if (!key.starts_with(begin) || !key.ends_with(kEnd)) continue;
    is_judged = true;
    const std::string name = key.substr(begin.size(), key.size() - begin.size() - kEnd.size());
    // The template for the Internet is what connections get unless a filter says otherwise.
    if (name != "Internet" && name != "InternetCustom") continue;
    const bool by_policy =
        says(host.facts, begin + name + ".AutoTuningLevelEffective", "GroupPolicy");
    if (by_policy ||
        (!says(host.facts, key, "Disabled") && !says(host.facts, key, "HighlyRestricted")))
      continue;
    if (is_read(host.facts, kLevel) && !says(host.facts, kLevel, "normal")) continue;  // said above
    const auto set = [&](const std::string& level) {
      return fmt::format("Set-NetTCPSetting -SettingName {} -AutoTuningLevelLocal {}", name, level);
    };
    add_level(
        host, key,
        {Platform::windows, set("Normal"), set(told.value), "Microsoft Learn: Set-NetTCPSetting"},
        found);
  }
  return is_judged;
}

bool look_at_heuristics(const Host& host, std::vector<HostFinding>& found) {
  if (!is_read(host.facts, kLevel)) return false;
  if (!is_read(host.facts, kOverridden) || says(host.facts, kLevel, "normal")) return true;
  HostFinding finding{
      .claim = "Windows' scaling heuristics override the auto-tuning level",
      .value = value_of(host.facts, kOverridden),
      .expected = "not overridden",
      .why = "on networks that they distrust they restrict the window whatever the level says",
      .cost = window_cost(kUnscaledWindow, host.aim),
      .evidence = {shown(host.facts, kOverridden), shown(host.facts, kLevel)}};
  finding.steps.push_back({Platform::windows, "netsh int tcp set heuristics disabled",
                           "netsh int tcp set heuristics enabled",
                           "Microsoft Learn: netsh interface tcp"});
  found.push_back(std::move(finding));
  return true;
}

constexpr SettingRule kModerate{
    .key = "net.ipv4.tcp_moderate_rcvbuf",
    .bad = "0",
    .expected = "1",
    .claim = "receive buffers are not tuned automatically",
    .why = "each connection keeps the default buffer, whatever the path needs",
    .cost = "a connection gets one default buffer each round trip"};

bool look_at_moderation(const Host& host, std::vector<HostFinding>& found) {
  const std::size_t before = found.size();
  const bool is_judged = judge_setting(host, kModerate, found);
  const std::vector<double> rmem = numbers_of(host.facts, "net.ipv4.tcp_rmem");
  if (found.size() > before && rmem.size() == 3) {
    // Half of a buffer is for the kernel's own overhead (tcp_adv_win_scale 1).
    found.back().cost = window_cost(rmem[1] / 2, host.aim);
    found.back().evidence.push_back(shown(host.facts, "net.ipv4.tcp_rmem"));
  }
  return is_judged;
}

constexpr std::array kRules{
    HostRule{"auto-tuning-off", Platform::windows, "netsh int tcp show global",
             "the receive window auto-tuning level is disabled or highlyrestricted, and not by "
             "the scaling heuristics",
             look_at_netsh},
    HostRule{"auto-tuning-template-off", Platform::windows, "Get-NetTCPSetting",
             "AutoTuningLevelLocal of the template Internet or InternetCustom is Disabled or "
             "HighlyRestricted, and no policy overrides it",
             look_at_templates},
    HostRule{"auto-tuning-overridden", Platform::windows, "netsh int tcp show global",
             "the level is not normal, and the table's footnote says that scaling heuristics "
             "override it",
             look_at_heuristics},
    HostRule{"receive-buffer-not-moderated", Platform::linux, "sysctl -a",
             "net.ipv4.tcp_moderate_rcvbuf is 0", look_at_moderation},
};

}  // namespace

extern const HostFault rwnd_fixed_64k;
const HostFault rwnd_fixed_64k{kFault, kRules};

}  // namespace slowpath::detect::host
