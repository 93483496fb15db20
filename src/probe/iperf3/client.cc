// SPDX-License-Identifier: Apache-2.0
#include "probe/iperf3/client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/json.h"
#include "probe/iperf3/affinity.h"
#include "probe/iperf3/datagrams.h"
#include "probe/iperf3/protocol.h"
#include "probe/iperf3/results.h"
#include "probe/iperf3/run.h"
#include "probe/iperf3/test_file.h"

namespace slowpath::probe::iperf3 {
namespace {

using namespace std::chrono_literals;

/// For each step of the exchange; a server that is alive answers at once.
constexpr Duration kPatience = 15s;

/// What fits a packet of the control connection's path, as iperf3 has it; 1460 where it is not
/// told.
std::uint32_t datagram_bytes(int control) {
  int mss = 0;
  socklen_t len = sizeof mss;
  constexpr int kLeast = 64;
  constexpr std::uint32_t kUsual = 1460;
  if (getsockopt(control, IPPROTO_TCP, TCP_MAXSEG, &mss, &len) != 0 || mss < kLeast) return kUsual;
  // Loopback allows more than a datagram may hold.
  constexpr int kMost = 65507 - 28;
  return static_cast<std::uint32_t>(std::min(mss, kMost));
}

class Client {
 public:
  explicit Client(const ClientOptions& options)
      : options_(options), parameters_(options.parameters), cookie_(make_cookie()) {}

  Result<Iperf3Facts> run() {
    if (options_.affinity) {
      if (const auto pinned = pin_to_processor(*options_.affinity); !pinned) {
        return std::unexpected(pinned.error());
      }
    }
    if (const Result<void> opened = open_file(); !opened) return std::unexpected(opened.error());
    if (const Result<void> begun = begin(); !begun) return std::unexpected(begun.error());
    // Only now: a server that does not answer costs nobody what the file held.
    if (file_.is_writable()) {
      if (const auto emptied = file_.empty(); !emptied) return std::unexpected(emptied.error());
    }
    facts_ = facts_of(parameters_);
    facts_.host = options_.server.host;
    facts_.port = options_.server.port;
    facts_.cookie = cookie_.substr(0, kCookieBytes - 1);
    if (!parameters_.is_udp) {
      facts_.sender_congestion = congestion_of(streams_.front().socket.get());
    }
    if (options_.on_begin) options_.on_begin(facts_);
    if (const Result<void> ran = transfer(); !ran) return std::unexpected(ran.error());
    return std::move(facts_);
  }

 private:
  [[nodiscard]] Control& control() { return *control_; }

  Result<void> open_file() {
    if (options_.file.empty()) return {};
    const bool sends = parameters_.client_sends();
    Result<TestFile> opened = TestFile::open(options_.file, sends ? FileUse::send : FileUse::write);
    if (!opened) return std::unexpected(opened.error());
    file_ = std::move(*opened);
    if (!sends) return {};
    const Result<std::uint64_t> bytes = file_.bytes_to_send();
    if (!bytes) return std::unexpected(bytes.error());
    file_bytes_ = *bytes;
    return {};
  }

  /// The cookie is random, but whoever listens could show the token again: it holds the time.
  Result<void> log_in() {
    if (!options_.login) return {};
    Result<std::string> token = make_auth_token(*options_.login);
    if (!token) return std::unexpected(token.error());
    parameters_.auth_token = std::move(*token);
    return {};
  }

  [[nodiscard]] SocketOptions control_options() const {
    SocketOptions options;
    options.no_delay = true;
    options.user_timeout_ms = options_.user_timeout_ms;
    return options;
  }

  [[nodiscard]] SocketOptions stream_options() const {
    SocketOptions options = socket_options_of(parameters_);
    options.user_timeout_ms = options_.user_timeout_ms;
    return options;
  }

  /// From the connection to streams that the server awaits bytes on.
  Result<void> begin() {
    if (const Result<void> known = log_in(); !known) return known;
    Result<Descriptor> socket =
        connect_tcp(options_.server, control_options(), options_.connect_timeout);
    if (!socket) return std::unexpected(socket.error());
    control_.emplace(std::move(*socket), options_.server.host);
    if (parameters_.is_udp && !options_.has_block_bytes) {
      parameters_.block_bytes = datagram_bytes(control().socket());
    }
    if (const auto sent = control().send_cookie(cookie_, kPatience); !sent) return sent;
    if (const auto got = control().expect(State::param_exchange, kPatience); !got) return got;
    if (const auto sent = control().send_json(to_json(parameters_), kPatience); !sent) return sent;
    if (const auto got = control().expect(State::create_streams, kPatience); !got) return got;
    if (const Result<void> made = create_streams(); !made) {
      control().send_state(State::client_terminate, 1s);
      return made;
    }
    if (const auto got = control().expect(State::test_start, kPatience); !got) return got;
    return control().expect(State::test_running, kPatience);
  }

  Result<void> create_streams() {
    const bool both = parameters_.bidirectional;
    for (std::uint32_t i = 0; i < parameters_.streams * (both ? 2 : 1); ++i) {
      // Both ways at once: those that send are made first.
      const bool sends = both ? i < parameters_.streams : parameters_.client_sends();
      const auto port = static_cast<std::uint16_t>(
          options_.local_port == 0 ? 0 : options_.local_port + static_cast<std::uint16_t>(i));
      Result<Descriptor> socket = parameters_.is_udp ? udp_stream(port) : tcp_stream(port);
      if (!socket) return std::unexpected(socket.error());
      streams_.push_back({std::move(*socket), sends});
    }
    return {};
  }

  Result<Descriptor> tcp_stream(std::uint16_t local_port) {
    Target server = options_.server;
    server.bind_port = local_port;
    Result<Descriptor> socket = connect_tcp(server, stream_options(), options_.connect_timeout);
    if (!socket) return socket;
    Control stream(std::move(*socket), options_.server.host);
    if (const auto sent = stream.send_cookie(cookie_, kPatience); !sent) {
      return std::unexpected(sent.error());
    }
    return std::move(stream).take_socket();
  }

  Result<Descriptor> udp_stream(std::uint16_t local_port) {
    Result<Descriptor> socket =
        connect_udp_stream(control().socket(), local_port, options_.server.bind_device,
                           stream_options(), options_.connect_timeout);
    if (socket && parameters_.dont_fragment) forbid_fragments(socket->get());
    return socket;
  }

  Result<void> transfer() {
    RunOptions run{.parameters = parameters_,
                   .interval = options_.interval,
                   .most = 24h,
                   .ends_by_itself = true,
                   .silent_s = options_.silent_s,
                   .file = file_.get(),
                   .file_bytes = file_bytes_,
                   .stop = options_.stop,
                   .on_interval = options_.on_interval};
    const Result<RunAnswer> answer = run_streams(streams_, run, control(), facts_);
    if (!answer) return std::unexpected(answer.error());
    facts_.error = answer->error;
    if (answer->end == RunEnd::stopped) {
      control().send_state(State::client_terminate, 1s);
      facts_.interrupted = facts_.error.empty();
      if (facts_.interrupted) facts_.error = "stopped by a signal";
    } else if (answer->end == RunEnd::told && answer->error.empty()) {
      facts_.error = "the server ended the test";
    } else if (answer->end == RunEnd::limits) {
      if (const Result<void> exchanged = exchange(); !exchanged) {
        facts_.error = exchanged.error().message();
      }
    }
    return {};
  }

  /// What the server measured. Without it there is still what was measured here.
  Result<void> exchange() {
    if (const auto sent = control().send_state(State::test_end, kPatience); !sent) return sent;
    if (const auto got = control().expect(State::exchange_results, kPatience); !got) return got;
    const nlohmann::ordered_json ours = results_to_json(facts_, facts_.sender_congestion, {});
    if (const auto sent = control().send_json(ours, kPatience); !sent) return sent;
    const auto theirs = control().receive_json(kMostResultBytes, kPatience);
    if (!theirs) return std::unexpected(theirs.error());
    const std::string own_congestion = facts_.sender_congestion;
    take_results(facts_, *theirs);
    if (parameters_.reverse && !parameters_.bidirectional) {
      facts_.receiver_congestion = own_congestion;
    }
    if (const auto got = control().expect(State::display_results, kPatience); !got) return got;
    streams_.clear();
    return control().send_state(State::iperf_done, kPatience);
  }

  const ClientOptions& options_;
  Parameters parameters_;
  std::string cookie_;
  std::optional<Control> control_;
  TestFile file_;
  std::uint64_t file_bytes_ = 0;  // of a file that is sent
  std::vector<RunStream> streams_;
  Iperf3Facts facts_;
};

}  // namespace

Result<Iperf3Facts> run_client(const ClientOptions& options) { return Client(options).run(); }

}  // namespace slowpath::probe::iperf3
