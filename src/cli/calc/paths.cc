// SPDX-License-Identifier: Apache-2.0
// `calc rtt`, `calc loss`, `calc rate`, `calc transfer`: what distance and loss leave of a rate.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/format.h"
#include "base/result.h"
#include "cli/calc/calculation.h"
#include "cli/calc/sheet.h"
#include "cli/command_line.h"
#include "detect/arithmetic/distance.h"
#include "detect/arithmetic/loss_model.h"
#include "detect/arithmetic/packet_size.h"
#include "detect/arithmetic/slow_start.h"
#include "detect/arithmetic/window.h"

namespace slowpath::cli::calc {
namespace {

using namespace slowpath::arithmetic;

/// Ethernet, IPv4, timestamps.
constexpr double kUsualMssBytes = 1448;
constexpr char kMssHelp[] = "Payload of a segment [1448: Ethernet with timestamps]";

struct RttOptions {
  double km = 0;
  double rtt_s = 0;
};

Result<Sheet> compute_rtt(const RttOptions& options) {
  if (options.rtt_s > 0) {
    const double km = farthest_km(options.rtt_s);
    Sheet sheet("rtt", fmt::format("A host {} away is within {} km of fibre",
                                   format_duration(options.rtt_s), format_count(whole(km))));
    sheet.row("farthest", "farthest_km", {fmt::format("{:.0f} km", km), km});
    return sheet;
  }
  const double floor_s = rtt_floor_s(options.km);
  Sheet sheet("rtt", fmt::format("{:.0f} km of fibre: no round trip is shorter than {}", options.km,
                                 format_duration(floor_s)));
  sheet.row("one way", "one_way_floor_s", seconds_cell(floor_s / 2));
  sheet.row("RTT, at least", "rtt_floor_s", seconds_cell(floor_s));
  sheet.row("RTT, detours of one half", "rtt_with_detours_s", seconds_cell(1.5 * floor_s));
  sheet.row("65 535 bytes a round trip", "unscaled_window_bps",
            rate_cell(window_rate_bps(kMaxWindowField, floor_s)));
  sheet.note(
      "Light in fibre travels 200 km a millisecond. Cables are longer than straight lines, often "
      "by half.");
  return sheet;
}

Compute declare_rtt(const CommandLine& line) {
  auto options = std::make_shared<RttOptions>();
  const CommandLine group = line.add_choice("Question");
  group.add_option("--km", options->km, "Distance in kilometres").range(0.001, 1e9).type_name("KM");
  add_duration(group, "--rtt", options->rtt_s, "Round-trip time: how far is the host at most?");
  return [options] { return compute_rtt(*options); };
}

struct LossOptions {
  double rate_bps = 0;
  double rtt_s = 0;
  double mss_bytes = kUsualMssBytes;
};

Result<Sheet> compute_loss(const LossOptions& options) {
  const auto [rate, rtt, mss] = options;
  const double cubic = cubic_max_loss(mss, rtt, rate);
  Sheet sheet("loss",
              fmt::format("{} over {} bears one lost packet in {} (CUBIC)", format_rate(rate),
                          format_duration(rtt), format_count(whole(1 / cubic))));
  sheet.row("CUBIC", "cubic_max_loss", loss_cell(cubic));
  sheet.row("Reno", "reno_max_loss", loss_cell(mathis_max_loss(mss, rtt, rate)));
  sheet.row("Reno, delayed ACKs", "reno_delayed_ack_max_loss",
            loss_cell(mathis_max_loss(mss, rtt, rate, kMathisDelayedAck)));
  sheet.row("packets in flight", "window_segments",
            count_cell(std::ceil(bdp_bytes(rate, rtt) / mss)));
  const double packets_a_second = rate / (8 * mss);
  sheet.row("CUBIC: one loss in", "cubic_seconds_between_losses",
            seconds_cell(1 / (cubic * packets_a_second)));
  sheet.row("Reno: one loss in", "reno_seconds_between_losses",
            seconds_cell(1 / (mathis_max_loss(mss, rtt, rate) * packets_a_second)));
  sheet.note(
      "Random loss, one connection. Of n connections each has 1/n of the rate, and bears more.");
  sheet.note("BBR keeps its rate up to a loss of a few per cent.");
  return sheet;
}

Compute declare_loss(const CommandLine& line) {
  auto options = std::make_shared<LossOptions>();
  add_rate(line, "--rate", options->rate_bps, "Rate to reach, e.g. 1G").required();
  add_duration(line, "--rtt", options->rtt_s, "Round-trip time, e.g. 80ms").required();
  add_size(line, "--mss", options->mss_bytes, kMssHelp);
  return [options] { return compute_loss(*options); };
}

struct RateOptions {
  double loss = 0;
  double rtt_s = 0;
  double rto_s = 0;
  double mss_bytes = kUsualMssBytes;
  double window_bytes = 0;
};

Result<Sheet> compute_rate(const RateOptions& options) {
  const double rtt = options.rtt_s;
  const double mss = options.mss_bytes;
  const double p = options.loss;
  // Linux' timer on a quiet path.
  const double rto_s = options.rto_s > 0 ? options.rto_s : rtt + 0.2;
  const double limit = options.window_bytes > 0 ? window_rate_bps(options.window_bytes, rtt)
                                                : std::numeric_limits<double>::infinity();
  const PftkOptions pftk{.rto_s = rto_s, .max_window_segments = options.window_bytes / mss};
  const double cubic = std::min(limit, cubic_rate_bps(mss, rtt, p));
  Sheet sheet("rate", fmt::format("A loss of {} over {} leaves about {} (CUBIC)", format_percent(p),
                                  format_duration(rtt), format_rate(cubic)));
  sheet.row("CUBIC", "cubic_bps", rate_cell(cubic));
  sheet.row("Reno", "reno_bps", rate_cell(std::min(limit, mathis_rate_bps(mss, rtt, p))));
  sheet.row("Reno, delayed ACKs", "reno_delayed_ack_bps",
            rate_cell(std::min(limit, mathis_rate_bps(mss, rtt, p, kMathisDelayedAck))));
  sheet.row("Reno with timeouts (PFTK)", "pftk_bps", rate_cell(pftk_rate_bps(mss, rtt, p, pftk)));
  sheet.row("timeout assumed", "rto_s", seconds_cell(rto_s));
  if (options.window_bytes > 0) sheet.row("the window's ceiling", "ceiling_bps", rate_cell(limit));
  if (p > 0.01) sheet.note("Above 1 % only PFTK holds: the others know no timeouts.");
  sheet.note(
      "Payload of one connection, random loss. BBR keeps its rate up to a loss of a few per cent.");
  return sheet;
}

Compute declare_rate(const CommandLine& line) {
  auto options = std::make_shared<RateOptions>();
  add_share(line, "--loss", options->loss, "Share of packets lost, e.g. 0.1% or 0.001").required();
  add_duration(line, "--rtt", options->rtt_s, "Round-trip time, e.g. 50ms").required();
  add_size(line, "--mss", options->mss_bytes, kMssHelp);
  add_size(line, "--window", options->window_bytes, "Largest window [no limit]");
  add_duration(line, "--rto", options->rto_s, "First timeout [RTT + 200ms, as Linux]");
  return [options] { return compute_rate(*options); };
}

struct TransferOptions {
  double size_bytes = 0;
  double rate_bps = 0;
  double rtt_s = 0;
  double mss_bytes = kUsualMssBytes;
};

Result<Sheet> compute_transfer(const TransferOptions& options) {
  const double ideal_s =
      ideal_transfer_s(options.size_bytes, options.mss_bytes, options.rtt_s, options.rate_bps);
  const double handshake_s = options.rtt_s;
  Sheet sheet("transfer",
              fmt::format("{} takes {} where nothing goes wrong", format_bytes(options.size_bytes),
                          format_duration(ideal_s + handshake_s)));
  sheet.row("handshake", "handshake_s", seconds_cell(handshake_s));
  sheet.row("data, to the last ACK", "data_s", seconds_cell(ideal_s));
  sheet.row("mean rate of the data", "mean_bps", rate_cell(options.size_bytes * 8 / ideal_s));
  sheet.row("on the wire alone", "serialisation_s",
            seconds_cell(serialisation_s(options.size_bytes, options.rate_bps)));
  sheet.row("rounds, were the rate unlimited", "slow_start_rounds",
            count_cell(slow_start_rounds(options.size_bytes, options.mss_bytes)));
  sheet.note("Slow start from ten segments, doubling each round trip until the path is full.");
  return sheet;
}

Compute declare_transfer(const CommandLine& line) {
  auto options = std::make_shared<TransferOptions>();
  add_size(line, "--size", options->size_bytes, "Bytes to transfer, e.g. 10M").required();
  add_rate(line, "--rate", options->rate_bps, "Rate of the path for payload, e.g. 1G").required();
  add_duration(line, "--rtt", options->rtt_s, "Round-trip time, e.g. 80ms").required();
  add_size(line, "--mss", options->mss_bytes, kMssHelp);
  return [options] { return compute_transfer(*options); };
}

}  // namespace

extern const Calculation rtt;
const Calculation rtt{.name = "rtt",
                      .summary = "least round-trip time of a distance, or the reverse",
                      .examples =
                          "  slowpath calc rtt --km 5000\n"
                          "  slowpath calc rtt --rtt 42ms\n",
                      .declare = declare_rtt};

extern const Calculation loss;
const Calculation loss{.name = "loss",
                       .summary = "the loss at which a rate can still be reached",
                       .examples = "  slowpath calc loss --rate 1G --rtt 80ms\n",
                       .declare = declare_loss};

extern const Calculation rate;
const Calculation rate{.name = "rate",
                       .summary = "the rate that loss leaves",
                       .examples =
                           "  slowpath calc rate --loss 0.1% --rtt 50ms\n"
                           "  slowpath calc rate --loss 2% --rtt 50ms --window 256K\n",
                       .declare = declare_rate};

extern const Calculation transfer;
const Calculation transfer{.name = "transfer",
                           .summary = "how long a transfer takes where nothing goes wrong",
                           .examples = "  slowpath calc transfer --size 10M --rate 1G --rtt 80ms\n",
                           .declare = declare_transfer};

}  // namespace slowpath::cli::calc
