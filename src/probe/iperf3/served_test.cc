// SPDX-License-Identifier: Apache-2.0
#include "probe/iperf3/served_test.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include <fmt/core.h>

#include "base/json.h"
#include "facts/address.h"
#include "probe/iperf3/affinity.h"
#include "probe/iperf3/datagrams.h"
#include "probe/iperf3/results.h"

namespace slowpath::probe::iperf3 {
namespace {

using namespace std::chrono_literals;

/// For each step of the exchange. A client that is alive answers at once.
constexpr Duration kPatience = 10s;
/// A client ends its test itself; so much later it is lost.
constexpr Duration kGrace = 10s;
constexpr std::int32_t kCannotSetCongestion = 134, kNotAuthorised = 142, kCannotPin = 132;
constexpr std::int32_t kCannotDo = 13, kCannotOpenFile = 14, kTooFast = 27;

/// A client whose host is gone says nothing, and some ends are waited for without a word from it
/// (tcp(7)): after a minute without an answer the connection is at its end.
void notice_silent_end(int socket) {
  constexpr int kYes = 1, kIdle_s = 30, kEvery_s = 10, kTries = 3;
  setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &kYes, sizeof kYes);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &kIdle_s, sizeof kIdle_s);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &kEvery_s, sizeof kEvery_s);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &kTries, sizeof kTries);
}

}  // namespace

ServedTest::ServedTest(const ServerOptions& options, Descriptor control, std::string peer,
                       std::string cookie)
    : options_(options), control_(std::move(control), std::move(peer)), cookie_(std::move(cookie)) {
  thread_ = std::thread([this] { run(); });
}

ServedTest::~ServedTest() {
  if (thread_.joinable()) thread_.join();
}

void ServedTest::add_stream(Descriptor socket) {
  const std::scoped_lock lock(mutex_);
  // More than were asked for are nobody's.
  if (inbox_.size() < 2 * kMostStreams) inbox_.push_back(std::move(socket));
  came_.notify_one();
}

void ServedTest::run() {
  const Result<void> served = serve();
  if (!served && facts_.error.empty()) facts_.error = served.error().message();
  streams_.clear();
  if (options_.on_end) options_.on_end(facts_);
  over_ = true;
}

Result<void> ServedTest::serve() {
  facts_.is_server = true;
  facts_.host = control_.peer();
  notice_silent_end(control_.socket());
  if (const Result<void> agreed = agree(); !agreed) return agreed;
  if (const Result<void> taken = take_streams(); !taken) return taken;
  if (const auto sent = control_.send_state(State::test_start, kPatience); !sent) return sent;
  if (const auto sent = control_.send_state(State::test_running, kPatience); !sent) return sent;
  if (options_.on_begin) options_.on_begin(facts_);
  if (const Result<void> ran = transfer(); !ran) return ran;
  end_sending();
  return exchange();
}

/// A client that was sent to goes on reading whole blocks until there are no more, and answers only
/// then: where the last one was cut short, iperf3 3.12 would wait for the rest of it for ever.
void ServedTest::end_sending() {
  if (parameters_.is_udp) return;
  for (const RunStream& stream : streams_) {
    if (stream.sends) shutdown(stream.socket.get(), SHUT_WR);
  }
}

Result<void> ServedTest::agree() {
  if (const auto sent = control_.send_state(State::param_exchange, kPatience); !sent) return sent;
  const auto json = control_.receive_json(kMostParameterBytes, kPatience);
  if (!json) return std::unexpected(json.error());
  auto parameters = parameters_from(*json, options_.limits);
  if (!parameters) {
    control_.send_server_error(parameters.error().iperf_error, 0, kPatience);
    return fail(ErrorKind::network, fmt::format("cannot serve {}", control_.peer()),
                parameters.error().words);
  }
  parameters_ = std::move(*parameters);
  if (options_.authority && !options_.authority->admits(parameters_.auth_token)) {
    control_.send_server_error(kNotAuthorised, 0, kPatience);
    return fail(ErrorKind::network, fmt::format("cannot serve {}", control_.peer()),
                "it has no right user and password, or its clock is far from ours");
  }
  if (const std::optional<Refusal> refusal = refuse_file()) {
    control_.send_server_error(refusal->iperf_error, 0, kPatience);
    return fail(ErrorKind::network, fmt::format("cannot serve {}", control_.peer()),
                refusal->words);
  }
  if (const Result<void> pinned = pin(); !pinned) {
    control_.send_server_error(kCannotPin, 0, kPatience);
    return pinned;
  }
  facts_ = facts_of(parameters_);
  facts_.is_server = true;
  facts_.host = control_.peer();
  facts_.port = options_.port;
  facts_.cookie = cookie_.substr(0, kCookieBytes - 1);
  return {};
}

/// Of this test's thread only: the client's word goes before the server's.
Result<void> ServedTest::pin() {
  const auto wanted = parameters_.server_affinity ? parameters_.server_affinity : options_.affinity;
  return wanted ? pin_to_processor(*wanted) : Result<void>{};
}

bool ServedTest::is_client_gone() const {
  // It may have said that it ends, which stands in front of the end.
  pollfd polled{.fd = control_.socket(), .events = POLLRDHUP, .revents = 0};
  return poll(&polled, 1, 0) > 0;
}

Result<Descriptor> ServedTest::next_stream(Duration timeout) {
  const std::int64_t deadline = steady_ns() + timeout.count();
  std::unique_lock lock(mutex_);
  while (!came_.wait_for(lock, 100ms, [this] { return !inbox_.empty(); })) {
    if (steady_ns() < deadline && !is_client_gone()) continue;
    return fail(ErrorKind::network, fmt::format("cannot serve {}", control_.peer()),
                "its streams did not come");
  }
  Descriptor socket = std::move(inbox_.front());
  inbox_.pop_front();
  return socket;
}

Result<void> ServedTest::take_streams() {
  SocketOptions wanted = socket_options_of(parameters_);
  wanted.mss_bytes.reset();  // the client has said it in its SYN
  std::optional<UdpListener> listener;
  if (parameters_.is_udp) {
    Result<UdpListener> bound = UdpListener::bind(control_.socket(), wanted);
    if (!bound) {
      control_.send_server_error(102, 0, kPatience);
      return std::unexpected(bound.error());
    }
    listener.emplace(std::move(*bound));
  }
  if (const auto sent = control_.send_state(State::create_streams, kPatience); !sent) return sent;
  const std::uint32_t count = parameters_.streams * (parameters_.bidirectional ? 2 : 1);
  for (std::uint32_t i = 0; i < count; ++i) {
    Result<Descriptor> socket = listener ? listener->accept(kPatience) : next_stream(kPatience);
    if (!socket) {
      control_.send_server_error(204, 0, 1s);
      return std::unexpected(socket.error());
    }
    if (const auto set = listener ? Result<void>{} : apply(wanted, socket->get()); !set) {
      control_.send_server_error(kCannotSetCongestion, 0, kPatience);
      return set;
    }
    if (parameters_.is_udp && parameters_.dont_fragment) forbid_fragments(socket->get());
    // The client makes those first that it sends on.
    const bool sends = parameters_.bidirectional ? i >= parameters_.streams : parameters_.reverse;
    streams_.push_back({std::move(*socket), sends});
  }
  return {};
}

/// What the file of this server can be used for, with iperf3's number where it is for something
/// else.
std::optional<Refusal> ServedTest::refuse_file() const {
  if (!options_.file) return std::nullopt;
  const bool sends = parameters_.reverse;
  if (parameters_.bidirectional || (sends && parameters_.is_udp))
    return Refusal{kCannotDo, "its file goes one way, and by TCP where it is sent"};
  if (!sends && !options_.file->is_writable())
    return Refusal{kCannotOpenFile, "the file may only be read"};
  if (!sends) return std::nullopt;
  const Result<std::uint64_t> bytes = options_.file->bytes_to_send();
  if (!bytes) return Refusal{kCannotOpenFile, bytes.error().message()};
  return std::nullopt;
}

bool ServedTest::has_time() const {
  return parameters_.bytes == 0 && parameters_.blocks == 0 && parameters_.duration_s > 0;
}

Result<RunOptions> ServedTest::prepare() const {
  RunOptions run{.parameters = parameters_,
                 .interval = options_.interval,
                 .most = from_seconds(parameters_.omit_s + parameters_.duration_s) + kGrace,
                 .ends_by_itself = false,
                 .silent_s = options_.silent_s,
                 .most_average_bps = options_.limits.most_average_bps,
                 .averaged = options_.limits.averaged,
                 .stop = options_.stop,
                 .on_interval = options_.on_interval};
  if (!has_time()) {
    run.most = options_.limits.longest_s > 0 ? from_seconds(options_.limits.longest_s) : 24h;
  }
  if (!options_.file) return run;
  run.file = options_.file->get();
  if (!parameters_.reverse) {
    const Result<void> emptied = options_.file->empty();
    return emptied ? Result<RunOptions>{run} : std::unexpected(emptied.error());
  }
  const Result<std::uint64_t> bytes = options_.file->bytes_to_send();
  if (!bytes) return std::unexpected(bytes.error());
  run.file_bytes = *bytes;
  return run;
}

/// The client's word, where this end's streams have ended before it came.
bool ServedTest::await_end(Duration most) {
  const std::int64_t deadline = steady_ns() + most.count();
  while (steady_ns() < deadline && !is_stopped()) {
    if (wait_readable(control_.socket(), 100ms))
      return control_.expect(State::test_end, kPatience).has_value();
  }
  return false;
}

/// A client that writes to streams that are closed says that they broke, and not why: until it has
/// gone, what it still sends is dropped.
void ServedTest::see_off() {
  constexpr int kMost = 64;
  constexpr std::size_t kAtOnce = std::size_t{1} << 20U;
  const std::int64_t deadline = steady_ns() + kGrace.count();
  while (steady_ns() < deadline && !is_stopped() && !wait_readable(control_.socket(), 10ms)) {
    for (const RunStream& stream : streams_) {
      for (int i = 0; i < kMost; ++i) {
        // Uncopied (tcp(7)).
        if (recv(stream.socket.get(), nullptr, kAtOnce, MSG_TRUNC | MSG_DONTWAIT) <= 0) break;
      }
    }
  }
}

Result<void> ServedTest::transfer() {
  const Result<RunOptions> run = prepare();
  if (!run) {
    control_.send_server_error(kCannotOpenFile, 0, kPatience);
    return std::unexpected(run.error());
  }
  if (!parameters_.is_udp) facts_.sender_congestion = congestion_of(streams_.front().socket.get());
  const Result<RunAnswer> answer = run_streams(streams_, *run, control_, facts_);
  if (!answer) return std::unexpected(answer.error());
  if (answer->end == RunEnd::told && answer->error.empty()) return {};
  // All streams broke, their client closed them before it said so, or a file was sent.
  // Behind a file a client waits for its time to be over, or in vain for an amount.
  const Duration patience = run->file_bytes == 0 ? Duration{kGrace}
                            : has_time()         ? run->most
                                                 : from_seconds(options_.silent_s);
  if (answer->end == RunEnd::limits && await_end(patience)) return {};
  const bool is_ended_here = answer->end == RunEnd::stopped || is_stopped();
  facts_.interrupted = is_ended_here && answer->error.empty();
  facts_.error = !answer->error.empty() ? answer->error
                 : is_ended_here        ? "stopped by a signal"
                                        : "the client did not end its test in time";
  if (answer->end == RunEnd::too_fast) {
    control_.send_server_error(kTooFast, 0, 1s);
    see_off();
  } else {
    control_.send_state(State::server_terminate, 1s);
    // A file that cannot be written: the client goes on sending until it has heard of it.
    if (answer->end == RunEnd::stopped) see_off();
  }
  return fail(ErrorKind::network, fmt::format("cannot go on with {}", control_.peer()),
              facts_.error);
}

Result<void> ServedTest::exchange() {
  if (const auto sent = control_.send_state(State::exchange_results, kPatience); !sent) return sent;
  const auto theirs = control_.receive_json(kMostResultBytes, kPatience);
  if (!theirs) return std::unexpected(theirs.error());
  const std::string own_congestion = facts_.sender_congestion;
  take_results(facts_, *theirs);
  // What a client says is its own output would be a server's only.
  facts_.server_output.clear();
  const std::string output =
      parameters_.get_server_output && options_.output ? options_.output(facts_) : std::string{};
  const nlohmann::ordered_json ours = results_to_json(facts_, own_congestion, output);
  if (const auto sent = control_.send_json(ours, kPatience); !sent) return sent;
  ending_ = true;
  if (const auto sent = control_.send_state(State::display_results, kPatience); !sent) return sent;
  // The client may go without a word.
  control_.receive_state(5s);
  return {};
}

}  // namespace slowpath::probe::iperf3
