// SPDX-License-Identifier: Apache-2.0
// `calc bdp`, `calc window`, `calc wscale`, `calc autotuning`: what a path needs in flight, and
// what a window allows.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/assert.h"
#include "base/format.h"
#include "cli/calc/calculation.h"
#include "cli/calc/sheet.h"
#include "cli/command_line.h"
#include "detect/arithmetic/window.h"

namespace slowpath::cli::calc {
namespace {

using namespace slowpath::arithmetic;

struct BdpOptions {
  double rate_bps = 0;
  double rtt_s = 0;
  int adv_win_scale = 1;
};

/// Buffers are set in whole pages.
std::uint64_t whole_pages(double bytes) { return whole(std::ceil(bytes / 4096)) * 4096; }

void add_linux(Sheet& sheet, const BdpOptions& options, double window_bytes) {
  // The setting is a signed int.
  constexpr std::uint64_t kLinuxMost = 2147483647;
  // Linux charges a segment with its whole memory on both sides, about twice the payload.
  const auto receive = std::min(
      kLinuxMost, whole_pages(linux_receive_buffer_bytes(window_bytes, options.adv_win_scale)));
  const auto send = std::min(kLinuxMost, whole_pages(2 * window_bytes));
  sheet.heading("Linux (defaults: 6 MiB or, in new kernels, 32 MiB to receive; 4 MiB to send)");
  sheet.row("receiver", "linux_tcp_rmem_max_bytes",
            {fmt::format("sysctl -w net.ipv4.tcp_rmem='4096 131072 {}'", receive), receive});
  sheet.row("sender", "linux_tcp_wmem_max_bytes",
            {fmt::format("sysctl -w net.ipv4.tcp_wmem='4096 16384 {}'", send), send});
  sheet.note(
      "  Look first, to undo it and to lower nothing: sysctl net.ipv4.tcp_rmem net.ipv4.tcp_wmem");
}

void add_windows(Sheet& sheet, double window_bytes) {
  const auto* level =
      std::ranges::find_if(kAutoTuningLevels, [window_bytes](const auto& candidate) {
        return window_bytes <= max_window_bytes(candidate);
      });
  SLOWPATH_ASSERT(level != kAutoTuningLevels.end());
  sheet.heading("Windows (default: normal, up to 16 MiB)");
  // The narrower levels would do for small products, and are of no use to any other connection.
  const bool normal = level->shift <= 8;
  const std::string_view name = normal ? "normal" : level->name;
  sheet.row("receiver", "windows_level",
            {fmt::format("netsh int tcp set global autotuninglevel={}", name), name});
}

void add_solaris(Sheet& sheet, double window_bytes) {
  const auto bytes = whole_pages(window_bytes);
  sheet.heading("Solaris (max_buf first, it bounds the others)");
  sheet.row("both", "solaris_max_buf_bytes",
            {fmt::format("ipadm set-prop -p max_buf={} tcp", 2 * bytes), 2 * bytes});
  sheet.row("receiver", "solaris_recv_buf_bytes",
            {fmt::format("ipadm set-prop -p recv_buf={} tcp", bytes), bytes});
  sheet.row("sender", "solaris_send_buf_bytes",
            {fmt::format("ipadm set-prop -p send_buf={} tcp", bytes), bytes});
}

Result<Sheet> compute_bdp(const BdpOptions& options) {
  const double bdp = bdp_bytes(options.rate_bps, options.rtt_s);
  Sheet sheet("bdp", fmt::format("{} over {} needs {} in flight", format_rate(options.rate_bps),
                                 format_duration(options.rtt_s), format_bytes(bdp)));
  sheet.row("bandwidth-delay product", "bdp_bytes", exact_bytes_cell(bdp));
  sheet.row("window of 65 535 bytes gives", "unscaled_window_bps",
            rate_cell(std::min(options.rate_bps, window_rate_bps(kMaxWindowField, options.rtt_s))));
  if (const auto shift = shift_for_window(bdp)) {
    sheet.row("window scale needed", "window_shift",
              {*shift == 0 ? "none" : fmt::format("{} or more", *shift), *shift});
  } else {
    const double connections = std::ceil(bdp / max_window_bytes(kMaxWindowShift));
    sheet.row("window scale needed", "window_shift", {"more than TCP has (14)", nullptr});
    sheet.row("connections needed", "connections", count_cell(connections));
  }
  // What one connection can use.
  const double window_bytes = std::min<double>(bdp, max_window_bytes(kMaxWindowShift));
  add_linux(sheet, options, window_bytes);
  add_windows(sheet, window_bytes);
  add_solaris(sheet, window_bytes);
  return sheet;
}

Compute declare_bdp(const CommandLine& line) {
  auto options = std::make_shared<BdpOptions>();
  add_rate(line, "--rate", options->rate_bps, "Rate of the path, e.g. 1G").required();
  add_duration(line, "--rtt", options->rtt_s, "Round-trip time without queues, e.g. 20ms")
      .required();
  line.add_option("--adv-win-scale", options->adv_win_scale,
                  "net.ipv4.tcp_adv_win_scale of the receiver; from Linux 6.6 on without effect")
      .range(-31, 31)
      .capture_default_str();
  return [options] { return compute_bdp(*options); };
}

struct WindowOptions {
  double rtt_s = 0;
  double window_bytes = kMaxWindowField;
};

std::vector<Row> rates_by_rtt(double window_bytes) {
  std::vector<Row> rows;
  for (const double rtt_ms : {1, 10, 30, 60, 90, 120, 250}) {
    const double rtt_s = rtt_ms / 1000;
    rows.push_back({seconds_cell(rtt_s), rate_cell(window_rate_bps(window_bytes, rtt_s))});
  }
  return rows;
}

std::vector<Row> rates_by_shift(double rtt_s) {
  std::vector<Row> rows;
  for (const int shift : {0, 1, 2, 3, 4, 6, 8, 14}) {
    const double window = max_window_bytes(shift);
    rows.push_back({{fmt::format("{}", shift), shift},
                    bytes_cell(window),
                    rate_cell(window_rate_bps(window, rtt_s))});
  }
  return rows;
}

Result<Sheet> compute_window(const WindowOptions& options) {
  const double ceiling = window_rate_bps(options.window_bytes, options.rtt_s);
  Sheet sheet("window", fmt::format("A window of {} bytes over {} carries at most {}",
                                    format_count(whole(options.window_bytes)),
                                    format_duration(options.rtt_s), format_rate(ceiling)));
  sheet.row("window", "window_bytes", exact_bytes_cell(options.window_bytes));
  sheet.row("ceiling", "ceiling_bps", rate_cell(ceiling));
  sheet.table("This window over other round-trip times", "by_rtt",
              {{"RTT", "rtt_s"}, {"at most", "ceiling_bps"}}, rates_by_rtt(options.window_bytes));
  sheet.table(fmt::format("Largest windows by scale, over {}", format_duration(options.rtt_s)),
              "by_shift",
              {{"scale", "window_shift"}, {"window", "window_bytes"}, {"at most", "ceiling_bps"}},
              rates_by_shift(options.rtt_s));
  return sheet;
}

Compute declare_window(const CommandLine& line) {
  auto options = std::make_shared<WindowOptions>();
  add_duration(line, "--rtt", options->rtt_s, "Round-trip time, e.g. 30ms").required();
  add_size(line, "--window", options->window_bytes, "Window, e.g. 64K [65535, the most unscaled]");
  return [options] { return compute_window(*options); };
}

struct WscaleOptions {
  std::uint16_t field = 65535;
  int shift = -1;
};

Result<Sheet> compute_wscale(const WscaleOptions& options) {
  std::string title = "Window scale: the window is the header's field times 2^scale";
  if (options.shift >= 0) {
    title = fmt::format("{} << {} is a window of {} bytes", options.field, options.shift,
                        format_count(true_window_bytes(options.field, options.shift)));
  }
  Sheet sheet("wscale", title);
  if (options.shift >= 0) {
    sheet.row("window", "window_bytes",
              bytes_cell(true_window_bytes(options.field, options.shift)));
  }
  std::vector<Row> rows;
  for (int shift = 0; shift <= kMaxWindowShift; ++shift) {
    const double window = max_window_bytes(shift);
    rows.push_back({{fmt::format("{}", shift), shift},
                    exact_bytes_cell(window),
                    rate_cell(window_rate_bps(window, 0.1)),
                    bytes_cell(std::ldexp(1, shift))});
  }
  sheet.table("Largest windows", "by_shift",
              {{"scale", "window_shift"},
               {"largest window", "window_bytes"},
               {"over 100 ms", "ceiling_at_100_ms_bps"},
               {"in steps of", "step_bytes"}},
              rows);
  sheet.note("The window in a SYN is never scaled; 14 is the most (RFC 7323).");
  return sheet;
}

Compute declare_wscale(const CommandLine& line) {
  auto options = std::make_shared<WscaleOptions>();
  const Option shift = line.add_option("--shift", options->shift, "Scale from the SYN, 0 to 14")
                           .range(0, kMaxWindowShift);
  line.add_option("--field", options->field, "Window field of the header, with --shift")
      .needs(shift)
      .capture_default_str();
  return [options] { return compute_wscale(*options); };
}

Result<Sheet> compute_autotuning() {
  Sheet sheet("autotuning", "Receive window auto-tuning levels of Windows");
  std::vector<Row> rows;
  for (const AutoTuningLevel& level : kAutoTuningLevels) {
    const double window = max_window_bytes(level);
    rows.push_back({text_cell(std::string(level.name)),
                    level.shift < 0 ? Cell{"absent", nullptr}
                                    : Cell{fmt::format("{}", level.shift), level.shift},
                    exact_bytes_cell(window), rate_cell(window_rate_bps(window, 0.02)),
                    rate_cell(window_rate_bps(window, 0.1))});
  }
  sheet.table("", "levels",
              {{"level", "level"},
               {"scale", "window_shift"},
               {"largest window", "window_bytes"},
               {"over 20 ms", "ceiling_at_20_ms_bps"},
               {"over 100 ms", "ceiling_at_100_ms_bps"}},
              rows);
  sheet.note("Shown by: netsh int tcp show global");
  sheet.note("Set by:   netsh int tcp set global autotuninglevel=LEVEL");
  return sheet;
}

Compute declare_autotuning(const CommandLine& /*line*/) { return compute_autotuning; }

}  // namespace

extern const Calculation bdp;
const Calculation bdp{.name = "bdp",
                      .summary = "bandwidth-delay product, and the buffers to set for it",
                      .examples = "  slowpath calc bdp --rate 1G --rtt 20ms\n",
                      .declare = declare_bdp};

extern const Calculation window;
const Calculation window{.name = "window",
                         .summary = "the rate that a window allows, by round-trip time",
                         .examples =
                             "  slowpath calc window --rtt 30ms\n"
                             "  slowpath calc window --rtt 80ms --window 416K\n",
                         .declare = declare_window};

extern const Calculation wscale;
const Calculation wscale{.name = "wscale",
                         .summary = "largest window by window scale, 0 to 14",
                         .examples =
                             "  slowpath calc wscale\n"
                             "  slowpath calc wscale --shift 7 --field 21927\n",
                         .declare = declare_wscale};

extern const Calculation autotuning;
const Calculation autotuning{.name = "autotuning",
                             .summary = "window of each auto-tuning level of Windows",
                             .examples = "  slowpath calc autotuning\n",
                             .declare = declare_autotuning};

}  // namespace slowpath::cli::calc
