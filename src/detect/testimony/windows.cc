// SPDX-License-Identifier: Apache-2.0
// Which setting holds a window or a send buffer small. Packets show the window; only the host can
// say whether its administrator, its tuning or its application made it so.
#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/testimony/testimony.h"

namespace slowpath::detect {
namespace {

// A setting whose value is the very limit that was measured.
constexpr double kMatches = 0.6;
constexpr double kDenies = 0.5;
// Linux keeps a part of each buffer for its own overhead: at most half with tcp_adv_win_scale 1,
// and down to a quarter with small packets (tcp(7)). A window within these shares of a buffer is
// that buffer's.
constexpr double kLeastShare = 0.25, kMostShare = 1.05;
// Of the time that the socket was busy (TCP_INFO).
constexpr double kSocketShare = 0.3;

double window_of(const Hearing& hearing) {
  return static_cast<double>(hearing.transfer.data().window.max_bytes);
}

bool fits(double window_bytes, double buffer_bytes) {
  return window_bytes >= kLeastShare * buffer_bytes && window_bytes <= kMostShare * buffer_bytes;
}

std::string bytes_of(double bytes) { return format_bytes(bytes); }

/// "busy 12 s, limited by the receive window 80 % of it".
void ask_socket_of_sender(const Hearing& hearing, Testimonies& said) {
  const SocketFacts* socket = hearing.sender.socket;
  if (socket == nullptr || socket->busy_s.value_or(0) <= 0 || !socket->rwnd_limited_s) return;
  const double share = *socket->rwnd_limited_s / *socket->busy_s;
  Evidence evidence = counter(
      fmt::format("the kernel of {} says that the receive window held this socket for {} of {}",
                  name_of(*hearing.sender.machine), format_percent(share),
                  format_duration(*socket->busy_s)),
      {{"rwnd_limited_s", *socket->rwnd_limited_s}, {"busy_s", *socket->busy_s}});
  said.push_back(share >= kSocketShare ? confirms(kMatches, std::move(evidence))
                                       : refutes(kDenies, std::move(evidence)));
}

/// Linux: who decides the size of the receive buffer.
void ask_linux_buffers(const Hearing& hearing, Testimonies& said) {
  const MachineFacts& machine = *hearing.receiver.machine;
  const double window = window_of(hearing);
  const auto initial = number_of(machine, "net.ipv4.tcp_rmem", 1),
             most = number_of(machine, "net.ipv4.tcp_rmem", 2),
             tuned = number_of(machine, "net.ipv4.tcp_moderate_rcvbuf"),
             by_hand = number_of(machine, "net.core.rmem_max");
  if (window <= 0 || !most) return;
  const std::string name = name_of(machine);
  if (tuned && *tuned == 0 && initial) {
    said.push_back(confirms(
        kMatches, setting(fmt::format("{} does not tune receive buffers "
                                      "(net.ipv4.tcp_moderate_rcvbuf 0): each keeps the {} of "
                                      "net.ipv4.tcp_rmem, or what its application asked for",
                                      name, bytes_of(*initial)),
                          {{"tcp_rmem_default_bytes", *initial}})));
  } else if (fits(window, *most)) {
    said.push_back(confirms(
        kMatches, setting(fmt::format("net.ipv4.tcp_rmem of {} lets a receive buffer have {} at "
                                      "most: the window of {} is what is left of it",
                                      name, bytes_of(*most), bytes_of(window)),
                          {{"tcp_rmem_max_bytes", *most}})));
  } else if (window < kLeastShare * *most) {
    said.push_back(explains(setting(
        fmt::format("net.ipv4.tcp_rmem of {} would allow {}: the application set its own buffer "
                    "(SO_RCVBUF{}), or reads too slowly",
                    name, bytes_of(*most),
                    by_hand ? fmt::format(", at most {} by net.core.rmem_max", bytes_of(*by_hand))
                            : std::string()),
        {{"tcp_rmem_max_bytes", *most}})));
  }
}

bool is_one_of(std::string_view value, std::initializer_list<std::string_view> words) {
  std::string lower(value);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::find(words, lower) != words.end();
}

/// Windows: the auto-tuning level, from netsh or from the template in use (Get-NetTCPSetting).
struct TuningLevel {
  std::string key;
  std::string_view value;
};
TuningLevel tuning_level(const MachineFacts& machine) {
  constexpr std::string_view kNetsh = "netsh.tcp.global.receive-window-auto-tuning-level";
  if (const std::string_view value = value_of(machine, std::string(kNetsh)); !value.empty())
    return {"Receive Window Auto-Tuning Level", value};
  for (const char* scope : {"Internet", "InternetCustom"}) {
    for (const char* which : {"AutoTuningLevelEffective", "AutoTuningLevelLocal"}) {
      const std::string key = fmt::format("Get-NetTCPSetting.{}.{}", scope, which);
      const std::string_view value = value_of(machine, key);
      if (!value.empty() && !is_one_of(value, {"local"})) return {key, value};
    }
  }
  return {};
}

void ask_windows_tuning(const Hearing& hearing, Testimonies& said) {
  const MachineFacts& machine = *hearing.receiver.machine;
  const TuningLevel level = tuning_level(machine);
  if (level.value.empty()) return;
  const std::string text =
      fmt::format("{} of {} is '{}'", level.key, name_of(machine), level.value);
  if (is_one_of(level.value, {"disabled", "highlyrestricted", "restricted"})) {
    said.push_back(confirms(kMatches, setting(text + ": the window may not grow with the path")));
  } else {
    said.push_back(explains(
        setting(text + ": the application set its own buffer (SO_RCVBUF), or reads too slowly")));
  }
}

void ask_solaris_buffers(const Hearing& hearing, Testimonies& said) {
  const MachineFacts& machine = *hearing.receiver.machine;
  const double window = window_of(hearing);
  for (const char* key : {"ipadm.tcp.recv_buf", "ndd.tcp.tcp_recv_hiwat"}) {
    const auto buffer = number_of(machine, key);
    if (!buffer || window <= 0) continue;
    if (window <= kMostShare * *buffer) {
      said.push_back(
          confirms(kMatches, setting(fmt::format("{} of {} gives each connection {}", key,
                                                 name_of(machine), bytes_of(*buffer)),
                                     {{"recv_buf_bytes", *buffer}})));
    } else {
      said.push_back(explains(setting(fmt::format("{} of {} is {}: the application asked for more",
                                                  key, name_of(machine), bytes_of(*buffer)))));
    }
    return;
  }
}

void ask_window(const Hearing& hearing, Testimonies& said) {
  ask_socket_of_sender(hearing, said);
  if (!hearing.receiver) return;
  ask_linux_buffers(hearing, said);
  ask_windows_tuning(hearing, said);
  ask_solaris_buffers(hearing, said);
}

/// Whether a host offers window scaling at all; nothing where it does not say.
std::optional<bool> offers_scaling(const MachineFacts& machine, std::string& what) {
  if (const auto value = number_of(machine, "net.ipv4.tcp_window_scaling")) {
    what = fmt::format("net.ipv4.tcp_window_scaling of {} is {:.0f}", name_of(machine), *value);
    return *value != 0;
  }
  // Windows without auto-tuning offers no scaling for connections that it accepts.
  const TuningLevel level = tuning_level(machine);
  if (!level.value.empty()) {
    what = fmt::format("{} of {} is '{}'", level.key, name_of(machine), level.value);
    return !is_one_of(level.value, {"disabled"});
  }
  return std::nullopt;
}

void ask_scaling(const Hearing& hearing, Testimonies& said) {
  const bool stripped = hearing.finding.fault == "wscale-stripped";
  bool all_offer = true, any_known = false;
  std::string told;
  for (const Witness* witness : {&hearing.sender, &hearing.receiver}) {
    if (!*witness) continue;
    std::string what;
    const std::optional<bool> offers = offers_scaling(*witness->machine, what);
    if (!offers) continue;
    any_known = true;
    if (!*offers) {
      all_offer = false;
      Evidence evidence = setting(what + ": it offers no window scaling");
      said.push_back(stripped ? refutes(kDenies, std::move(evidence))
                              : confirms(kMatches, std::move(evidence)));
    } else {
      told += (told.empty() ? "" : ", ") + what;
    }
  }
  if (!any_known || !all_offer) return;
  said.push_back(
      stripped ? confirms(0.3, setting(told + ": what lacks the option lost it on the way"))
               : explains(setting(told + ": that host does offer window scaling; the other one, a "
                                         "middlebox or SYN cookies left it out")));
}

/// ss on the sender tells the three kinds of a limited sender apart.
void ask_sender(const Hearing& hearing, Testimonies& said) {
  if (!hearing.sender) return;
  const MachineFacts& machine = *hearing.sender.machine;
  const SocketFacts* socket = hearing.sender.socket;
  const double busy_s = socket == nullptr ? 0 : socket->busy_s.value_or(0);
  if (busy_s > 0 && socket->sndbuf_limited_s) {
    const double share = *socket->sndbuf_limited_s / busy_s;
    Evidence evidence = counter(
        fmt::format("the kernel of {} says that the send buffer held this socket for {} of {}",
                    name_of(machine), format_percent(share), format_duration(busy_s)),
        {{"sndbuf_limited_s", *socket->sndbuf_limited_s}, {"busy_s", busy_s}});
    if (share >= kSocketShare) {
      Testimony word = confirms(kMatches, std::move(evidence));
      word.proves = true;
      word.becomes = "sndbuf-limited";
      said.push_back(std::move(word));
    } else {
      evidence.text += ": its application or its pacing does";
      said.push_back(explains(std::move(evidence)));
    }
    if (socket->rwnd_limited_s && *socket->rwnd_limited_s / busy_s >= kSocketShare)
      said.push_back(
          refutes(kDenies, counter(fmt::format("and the receive window for {} of it",
                                               format_percent(*socket->rwnd_limited_s / busy_s)))));
  }
  const auto most = number_of(machine, "net.ipv4.tcp_wmem", 2);
  const auto flight = static_cast<double>(hearing.transfer.data().flight_plateau_bytes);
  if (!most || flight <= 0) return;
  if (fits(flight, *most)) {
    said.push_back(confirms(
        0.3, setting(fmt::format("net.ipv4.tcp_wmem of {} lets a send buffer have {} at most: {} "
                                 "in flight are what fits",
                                 name_of(machine), bytes_of(*most), bytes_of(flight)),
                     {{"tcp_wmem_max_bytes", *most}})));
  } else if (flight < kLeastShare * *most) {
    said.push_back(explains(setting(
        fmt::format("net.ipv4.tcp_wmem of {} would allow {}: the application set its own buffer "
                    "(SO_SNDBUF), writes too slowly, or paces",
                    name_of(machine), bytes_of(*most)),
        {{"tcp_wmem_max_bytes", *most}})));
  }
}

void ask_congestion_window(const Hearing& hearing, Testimonies& said) {
  if (!hearing.sender) return;
  const MachineFacts& machine = *hearing.sender.machine;
  if (value_of(machine, "net.ipv4.tcp_slow_start_after_idle") == "1")
    said.push_back(explains(setting(fmt::format(
        "net.ipv4.tcp_slow_start_after_idle of {} is 1: after a pause the window starts anew",
        name_of(machine)))));
  if (value_of(machine, "net.ipv4.tcp_no_metrics_save") == "0")
    said.push_back(explains(setting(
        fmt::format("net.ipv4.tcp_no_metrics_save of {} is 0: it starts from the threshold that "
                    "an earlier connection left ('ip tcp_metrics show')",
                    name_of(machine)))));
}

constexpr std::array kQuestions{
    Questioning{"rwnd-limited", ask_window},
    Questioning{"rwnd-fixed-64k", ask_window},
    Questioning{"zero-window", ask_socket_of_sender},
    Questioning{"wscale-absent", ask_scaling},
    Questioning{"wscale-stripped", ask_scaling},
    Questioning{"sender-limited", ask_sender},
    Questioning{"app-limited-sender", ask_sender},
    Questioning{"cwnd-limited-noloss", ask_congestion_window},
};

}  // namespace

std::span<const Questioning> window_questions() { return kQuestions; }

}  // namespace slowpath::detect
