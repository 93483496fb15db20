// SPDX-License-Identifier: Apache-2.0
// `ss -tinm`: one line a socket, and a line of TCP_INFO and memory below it (or beside it with -O).
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

constexpr std::size_t kMaxSockets = 200'000;

constexpr auto kStates =
    std::to_array<std::pair<std::string_view, std::string_view>>({{"ESTAB", "established"},
                                                                  {"LISTEN", "listen"},
                                                                  {"TIME-WAIT", "time-wait"},
                                                                  {"SYN-SENT", "syn-sent"},
                                                                  {"SYN-RECV", "syn-recv"},
                                                                  {"FIN-WAIT-1", "fin-wait-1"},
                                                                  {"FIN-WAIT-2", "fin-wait-2"},
                                                                  {"CLOSE-WAIT", "close-wait"},
                                                                  {"LAST-ACK", "last-ack"},
                                                                  {"CLOSING", "closing"},
                                                                  {"UNCONN", "unconnected"}});

std::string_view state_of(std::string_view word) {
  for (const auto& [shown, state] : kStates) {
    if (word == shown) return state;
  }
  return {};
}

bool is_header(std::string_view line) { return line.contains("Recv-Q") && line.contains("Send-Q"); }

/// The queues of a listener hold connections, not bytes.
void apply_listener(SocketFacts& socket) {
  const auto count = [](std::optional<std::uint64_t> value) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(value.value_or(0), UINT32_MAX));
  };
  socket.accept_queue = count(socket.receive_queue_bytes);
  socket.accept_queue_max = count(socket.send_queue_bytes);
  socket.receive_queue_bytes.reset();
  socket.send_queue_bytes.reset();
}

/// "ESTAB 0 0 10.0.0.1:22 10.0.0.2:5000"; ss leaves the state out where it was asked for one.
std::optional<SocketFacts> socket_of(const Words& words, bool has_state) {
  std::size_t at = 0;
  if (words.size() > 5 && (words[0] == "tcp" || words[0] == "mptcp")) at = 1;
  SocketFacts socket;
  if (at < words.size() && !state_of(words[at]).empty()) {
    socket.state = state_of(words[at++]);
  } else if (has_state) {
    return std::nullopt;
  }
  if (words.size() < at + 4) return std::nullopt;
  socket.receive_queue_bytes = whole_number(words[at]);
  socket.send_queue_bytes = whole_number(words[at + 1]);
  const auto local = endpoint_of(words[at + 2]);
  const auto remote = endpoint_of(words[at + 3]);
  if (!socket.receive_queue_bytes || !socket.send_queue_bytes || !local || !remote) {
    return std::nullopt;
  }
  if (socket.state == "listen") apply_listener(socket);
  socket.local = *local;
  socket.remote = *remote;
  return socket;
}

bool recognises(const Output& rest) {
  const std::string_view first = rest.lines.front().text;
  // netstat's header names its columns so too, but begins with the protocol.
  if (is_header(first)) return !first.starts_with("Proto") && !first.starts_with("Active");
  return socket_of(rest.words, true).has_value();
}

std::optional<double> milliseconds(std::string_view text) {
  const auto value = leading_number(text);
  return value ? std::optional(*value / 1e3) : std::nullopt;
}

using Setter = void (*)(SocketFacts&, std::string_view);

struct Field {
  std::string_view name;  // before the colon
  Setter set;
};

// ss.c tcp_stats_print(): times in ms, rates in bit/s.
constexpr auto kFields = std::to_array<Field>({
    {"wscale",
     [](SocketFacts& s, std::string_view v) {
       s.send_window_scale = whole_number32(v.substr(0, v.find(',')));
       s.receive_window_scale = whole_number32(between(v, ",", " "));
     }},
    {"rto", [](SocketFacts& s, std::string_view v) { s.rto_s = milliseconds(v); }},
    {"rtt",
     [](SocketFacts& s, std::string_view v) {
       s.rtt_s = milliseconds(v);
       s.rtt_var_s = milliseconds(between(v, "/", " "));
     }},
    {"minrtt", [](SocketFacts& s, std::string_view v) { s.rtt_min_s = milliseconds(v); }},
    {"mss", [](SocketFacts& s, std::string_view v) { s.mss_bytes = whole_number32(v); }},
    {"pmtu", [](SocketFacts& s, std::string_view v) { s.pmtu_bytes = whole_number32(v); }},
    {"cwnd", [](SocketFacts& s, std::string_view v) { s.cwnd_segments = whole_number32(v); }},
    {"ssthresh",
     [](SocketFacts& s, std::string_view v) { s.ssthresh_segments = whole_number32(v); }},
    {"reordering", [](SocketFacts& s, std::string_view v) { s.reordering = whole_number32(v); }},
    {"retrans",
     [](SocketFacts& s, std::string_view v) {
       s.retransmits_total = whole_number32(between(v, "/", " "));
     }},
    {"bytes_sent", [](SocketFacts& s, std::string_view v) { s.bytes_sent = whole_number(v); }},
    {"bytes_acked", [](SocketFacts& s, std::string_view v) { s.bytes_acked = whole_number(v); }},
    {"bytes_received",
     [](SocketFacts& s, std::string_view v) { s.bytes_received = whole_number(v); }},
    {"bytes_retrans",
     [](SocketFacts& s, std::string_view v) { s.bytes_retransmitted = whole_number(v); }},
    {"notsent", [](SocketFacts& s, std::string_view v) { s.not_sent_bytes = whole_number(v); }},
    {"busy", [](SocketFacts& s, std::string_view v) { s.busy_s = milliseconds(v); }},
    {"rwnd_limited",
     [](SocketFacts& s, std::string_view v) { s.rwnd_limited_s = milliseconds(v); }},
    {"rcvmss", [](SocketFacts& s, std::string_view v) { s.receive_mss_bytes = whole_number32(v); }},
    {"advmss",
     [](SocketFacts& s, std::string_view v) { s.advertised_mss_bytes = whole_number32(v); }},
    {"rcv_ssthresh",
     [](SocketFacts& s, std::string_view v) { s.receive_ssthresh_bytes = whole_number32(v); }},
    {"snd_wnd",
     [](SocketFacts& s, std::string_view v) { s.peer_window_bytes = whole_number32(v); }},
    {"dsack_dups",
     [](SocketFacts& s, std::string_view v) { s.dsack_duplicates = whole_number32(v); }},
    {"reord_seen",
     [](SocketFacts& s, std::string_view v) { s.reorder_events = whole_number32(v); }},
    {"rcv_ooopack",
     [](SocketFacts& s, std::string_view v) { s.out_of_order_packets = whole_number32(v); }},
    {"rcv_rtt", [](SocketFacts& s, std::string_view v) { s.receive_rtt_s = milliseconds(v); }},
    {"sndbuf_limited",
     [](SocketFacts& s, std::string_view v) { s.sndbuf_limited_s = milliseconds(v); }},
});

/// "skmem:(r0,rb131072,t0,tb87040,f0,w0,o0,bl0,d0)".
void read_memory(std::string_view text, SocketFacts& socket) {
  if (const auto size = whole_number(between(text, ",rb", ","))) socket.receive_buffer_bytes = size;
  if (const auto size = whole_number(between(text, ",tb", ","))) socket.send_buffer_bytes = size;
  if (const auto drops = whole_number32(between(text, ",d", ")"))) socket.drops = drops;
}

bool is_congestion_control(std::string_view word) {
  constexpr auto kNames = std::to_array<std::string_view>(
      {"cubic", "reno", "bbr", "bbr2", "bbr3", "dctcp", "htcp", "vegas", "westwood", "bic", "hybla",
       "illinois", "veno", "yeah", "scalable", "lp", "cdg", "nv", "highspeed"});
  return std::ranges::count(kNames, word) > 0;
}

bool read_info(const Words& words, SocketFacts& socket) {
  bool any = false;
  for (std::size_t at = 0; at < words.size(); ++at) {
    const std::string_view word = words[at];
    const std::size_t colon = word.find(':');
    const std::string_view name = word.substr(0, colon);
    if (word == "app_limited") socket.app_limited = true;
    if (word == "ts") socket.timestamps = true;
    if (word == "sack") socket.sack = true;
    if (word == "ecn") socket.ecn = true;
    if (word == "delivery_rate") socket.delivery_rate_bps = rate_bps(word_after(words, word));
    if (word == "pacing_rate") socket.pacing_rate_bps = rate_bps(word_after(words, word));
    if (is_congestion_control(word)) socket.congestion_control = word;
    if (colon == std::string_view::npos) continue;
    any = true;
    if (name == "skmem") read_memory(word, socket);
    for (const Field& field : kFields) {
      if (name == field.name) field.set(socket, word.substr(colon + 1));
    }
  }
  return any;
}

void read(const Output& output, Notes& notes) {
  auto& sockets = notes.facts().sockets;
  bool is_open = false, has_state = true;
  notes.each_line(output, [&](const Line& line) {
    if (is_header(line.text)) {
      has_state = line.text.contains("State");
      return true;
    }
    const Words words = words_of(line.text);
    const bool indented = line.text.front() == ' ' || line.text.front() == '\t';
    auto socket = indented && has_state ? std::nullopt : socket_of(words, has_state);
    if (!socket) return is_open && indented && read_info(words, sockets.back());
    is_open = sockets.size() < kMaxSockets;
    if (!is_open) return false;
    sockets.push_back(std::move(*socket));
    sockets.back().origin = notes.at(line);
    (void)read_info({words.begin() + 4, words.end()}, sockets.back());
    return true;
  });
}

}  // namespace

namespace recognisers {
extern const Recogniser ss;
const Recogniser ss{"ss", Platform::linux, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
