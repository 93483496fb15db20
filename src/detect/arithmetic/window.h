// SPDX-License-Identifier: Apache-2.0
// What a window allows: bandwidth-delay product, ceiling by round-trip time, window scaling, and
// the buffer an operating system needs before it can offer a window.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace slowpath::arithmetic {

/// Bytes in flight that keep a path of this rate busy for one round trip: rate · RTT / 8
/// (RFC 6349 section 3.3). It is also the smallest window that allows this rate.
double bdp_bytes(double rate_bps, double rtt_s);

/// The most that one connection carries: one window per round trip (RFC 7323 section 1.1).
/// Infinite without a round-trip time. Holds for the least of receive window, cwnd and send buffer.
double window_rate_bps(double window_bytes, double rtt_s);

/// RFC 7323 section 2.3: a receiver must not use a larger shift.
inline constexpr int kMaxWindowShift = 14;
/// The window field has 16 bits.
inline constexpr std::uint32_t kMaxWindowField = 65535;

/// The window that a header means, in bytes: field · 2^shift. Shifts above 14 count as 14 (RFC 7323
/// section 2.3). Not for SYN segments: their window is never scaled (section 2.2).
std::uint32_t true_window_bytes(std::uint16_t field, int shift);

/// The largest window with this shift: 65 535 · 2^shift, 1 073 725 440 bytes at 14.
std::uint32_t max_window_bytes(int shift);

/// The smallest shift that can express this window; nothing beyond 1 073 725 440 bytes.
std::optional<int> shift_for_window(double window_bytes);

/// The receive buffer that Linux needs before it offers such a window, in bytes: what to write as
/// the last number of tcp_rmem. Inverse of the kernel's tcp_win_from_space() (ip-sysctl,
/// tcp_adv_win_scale): for 1..31 the window is space - space / 2^scale, for 0..-31 space /
/// 2^-scale. From Linux 6.6 on the share is learnt for each socket, starts at one half, and the
/// setting has no effect: 1, the default, fits both.
double linux_receive_buffer_bytes(double window_bytes, int adv_win_scale = 1);

/// The window that Linux offers out of such a buffer, in bytes.
double linux_window_bytes(double buffer_bytes, int adv_win_scale = 1);

/// One receive window auto-tuning level of Windows (Set-NetTCPSetting -AutoTuningLevelLocal).
struct AutoTuningLevel {
  std::string_view name;
  int shift;  // offered in the SYN; -1: the window scale option is absent
};

/// Levels from the narrowest to the widest, as Microsoft's TCP/IP tuning guide for Azure lists
/// them.
inline constexpr std::array<AutoTuningLevel, 5> kAutoTuningLevels{{
    {"disabled", -1},
    {"highlyrestricted", 2},
    {"restricted", 4},
    {"normal", 8},
    {"experimental", 14},
}};

/// The largest window a level can offer, in bytes: 65 535 where scaling is absent.
std::uint32_t max_window_bytes(const AutoTuningLevel& level);

}  // namespace slowpath::arithmetic
