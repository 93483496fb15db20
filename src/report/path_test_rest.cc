// SPDX-License-Identifier: Apache-2.0
// Delay, loss, headers, silences and churn of a path test, as text.
#include <fmt/format.h>

#include "base/format.h"
#include "report/path_test_parts.h"

namespace slowpath::report {
namespace {

std::string words_of(const RoundTrips& trips) {
  if (trips.answered == 0) return fmt::format("none of {} answered", trips.sent);
  std::string text = fmt::format("{} at least, {} median, {} p95", format_duration(trips.min_s),
                                 format_duration(trips.median_s), format_duration(trips.p95_s));
  if (trips.answered < trips.sent)
    text += fmt::format("; {} of {} not answered", trips.sent - trips.answered, trips.sent);
  return text;
}

std::string words_of(const ConnectTest& connect) {
  std::string text = fmt::format("connect to port {}: {}", connect.port, words_of(connect.trips));
  if (connect.refused > 0) text += " (it is closed: the refusal is timed)";
  if (connect.slow > 0) text += fmt::format("; {} needed a second SYN", connect.slow);
  return text;
}

void write_runs(Page& page, const LatencyTest& latency, Direction direction,
                std::string_view label) {
  std::string text;
  double jitter_s = 0;
  std::uint64_t reordered = 0, duplicates = 0;
  for (const DatagramRun& run : latency.runs) {
    if (run.direction != direction) continue;
    text += text.empty() ? "" : ", ";
    if (!run.unable.empty()) {
      text += fmt::format("at {}: {}", format_rate(run.offered_bps), run.unable);
      continue;
    }
    text += fmt::format("{} of {} lost at {} ({} of TCP's rate)", run.sent - run.received, run.sent,
                        format_rate(run.offered_bps), format_percent(run.rate_share.value_or(0)));
    jitter_s = run.jitter_s;
    reordered += run.reordered;
    duplicates += run.duplicates;
  }
  if (text.empty()) return;
  page.entry(label, fmt::format("{}: {}; jitter {}, {} overtaken, {} twice", to_way(direction),
                                text, format_duration(jitter_s), reordered, duplicates));
}

std::string words_of(const LengthLoss& lengths) {
  std::string text = fmt::format("{}:", to_way(lengths.direction));
  if (!lengths.unable.empty()) return fmt::format("{} not known: {}", text, lengths.unable);
  for (const LengthLoss::Size& size : lengths.sizes) {
    text += fmt::format(" {} B {}/{}", size.ip_bytes, size.sent - size.received, size.sent);
  }
  return text + " lost";
}

std::string options_of(const HandshakeHeader& header) {
  if (!header.known) return "not known";
  const TcpOptions& options = header.options;
  std::string text;
  if (options.has_mss) text += fmt::format("MSS {} ", options.mss);
  if (options.has_window_scale) text += fmt::format("window scale {} ", options.window_scale);
  if (options.sack_permitted) text += "SACK ";
  if (options.has_timestamps) text += "timestamps ";
  if (header.ece && header.cwr) text += "ECN ";
  if (header.has_ip && header.ttl > 0) text += fmt::format("TTL {} ", header.ttl);
  if (header.dont_fragment) text += "DF ";
  if (!text.empty()) text.pop_back();
  return text.empty() ? "no options" : text;
}

}  // namespace

void write_path_latency(Page& page, const LatencyTest& latency) {
  std::string_view label = "rtt";
  const auto line = [&](const std::string& text) {
    page.entry(label, text);
    label = "";
  };
  if (latency.connect) line(words_of(*latency.connect));
  if (latency.echo) line("ping: " + words_of(*latency.echo));
  if (latency.idle) line("idle: " + words_of(*latency.idle));
  for (const LatencyTest::Loaded& loaded : latency.loaded) {
    line(fmt::format("under load {}, {}: {}", to_way(loaded.direction),
                     format_rate(loaded.load_bps), words_of(loaded.trips)));
  }
  write_runs(page, latency, Direction::to_server, "loss");
  write_runs(page, latency, Direction::to_client, "");
  label = "by length";
  for (const LengthLoss& lengths : latency.lengths) line(words_of(lengths));
  if (!latency.unable.empty()) page.entry("loss", latency.unable);
}

void write_path_headers(Page& page, const MiddleboxTest& boxes) {
  if (!boxes.unable.empty()) {
    page.entry("headers", boxes.unable);
    return;
  }
  const auto line = [&](std::string_view label, std::string_view name, const HandshakeHeader& sent,
                        const HandshakeHeader& seen) {
    const std::string left = options_of(sent), came = options_of(seen);
    if (left == came) {
      page.entry(label, fmt::format("{}: {}, and arrives so", name, left));
    } else if (sent.has_ip == seen.has_ip) {
      page.entry(label, fmt::format("{}: leaves with {}, arrives with {}", name, left, came));
    } else {  // Of one end only what its kernel uses is known.
      page.entry(label, fmt::format("{}: {} {}; the other end {} {}", name,
                                    seen.has_ip ? "arrives with" : "leaves with",
                                    seen.has_ip ? came : left, seen.has_ip ? "sent" : "uses",
                                    seen.has_ip ? left : came));
    }
  };
  line("headers", "SYN", boxes.syn_sent, boxes.syn_seen);
  line("", "SYN-ACK", boxes.syn_ack_sent, boxes.syn_ack_seen);
  for (const std::string& missing : boxes.missing) page.entry("", "not seen: " + missing);
}

void write_path_idle(Page& page, const IdleTest& idle) {
  if (!idle.unable.empty()) {
    page.entry("idle", idle.unable);
  } else if (idle.shortest_lost_s > 0) {
    page.entry("idle", fmt::format("{} of silence is survived, {} is not ({})",
                                   format_duration(idle.longest_survived_s),
                                   format_duration(idle.shortest_lost_s),
                                   idle.reset ? "RST" : "no answer"));
  } else {
    page.entry("idle", fmt::format("all {} silences were survived, the longest of {}", idle.tried,
                                   format_duration(idle.longest_survived_s)));
  }
}

void write_path_churn(Page& page, const ChurnTest& churn) {
  if (!churn.unable.empty()) page.entry("churn", churn.unable);
  if (churn.attempts == 0) return;
  page.entry("churn", fmt::format("{} connections to port {} in {}: {} connected ({} median, {} "
                                  "p99), {} refused, {} reset, "
                                  "{} not answered, {} after a second SYN, {} without a local port",
                                  churn.attempts, churn.port, format_duration(churn.seconds),
                                  churn.connected, format_duration(churn.median_s),
                                  format_duration(churn.p99_s), churn.refused, churn.reset,
                                  churn.timed_out, churn.slow, churn.no_local_port));
}

}  // namespace slowpath::report
