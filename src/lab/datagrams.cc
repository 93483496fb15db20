// SPDX-License-Identifier: Apache-2.0
// UDP datagrams at a rate, each with its number and a piece of the pattern.
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "lab/traffic_ends.h"

namespace slowpath::lab {
namespace {

constexpr std::size_t kNumberBytes = 8;  // at the front of each datagram, little endian

std::uint64_t count_of(const TransferPlan& plan) {
  if (plan.bytes == 0) return plan.datagrams.count;
  return (plan.bytes + plan.datagrams.size - 1) / plan.datagrams.size;
}

void set_fragmenting(int socket, int family, bool dont_fragment) {
  // IPv6 routers never fragment; there it decides whether the sender does.
  const bool v6 = family == AF_INET6;
  const int mode = dont_fragment ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT;
  (void)setsockopt(socket, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER,
                   &mode, sizeof mode);
}

void send_datagrams(int socket, const SocketAddress& to, TransferEnd& end, int direction,
                    EndReport& report) {
  const auto& plan = end.plan.datagrams;
  set_fragmenting(socket, to.family(), plan.dont_fragment);
  const Pattern pattern{end.pattern_seed(direction)};
  std::vector<std::byte> data(plan.size);
  SenderReport sent;
  const auto began = steady_ns();
  const auto count = count_of(end.plan);
  for (std::uint64_t i = 0; i < count && !end.is_late(); ++i) {
    pattern.fill(i * plan.size, data);
    std::memcpy(data.data(), &i, kNumberBytes);
    ++report.attempts;
    if (sendto(socket, data.data(), data.size(), MSG_NOSIGNAL, to.get(), to.length) >= 0) {
      sent.bytes += data.size();
    } else if (report.error.empty() && errno != ECONNREFUSED) {
      report.error = std::string{"send: "} + std::strerror(errno);
    }
    if (plan.rate_bps <= 0) continue;
    const auto due = static_cast<double>((i + 1) * plan.size) * 8e9 / plan.rate_bps;
    sleep_until_ns(began + static_cast<std::int64_t>(due));
  }
  end.control.sender_gone[direction] = true;
  report.sender = std::move(sent);
}

/// Knows which datagrams came, and whether they are right.
class Arrivals {
 public:
  Arrivals(const TransferEnd& end, int direction)
      : end_(end), pattern_(end.pattern_seed(direction)), came_(count_of(end.plan)) {}

  void take(Bytes data) {
    last_ns_ = steady_ns();
    std::uint64_t number = 0;
    if (data.size() >= kNumberBytes) std::memcpy(&number, data.data(), kNumberBytes);
    if (data.size() < kNumberBytes || number >= came_.size()) {
      unknown_ += data.size();
      return;
    }
    if (came_[number]) return;  // Repeated on the way.
    came_[number] = true;
    ++count_;
    bytes_ += data.size();
    const auto size = end_.plan.datagrams.size;
    if (end_.plan.verify) check_.take_at(number * size + kNumberBytes, data.subspan(kNumberBytes));
    if (data.size() != size) unknown_ += size - std::min<std::uint64_t>(size, data.size());
  }
  [[nodiscard]] bool all() const { return count_ == came_.size(); }
  [[nodiscard]] std::int64_t last_ns() const { return last_ns_; }
  [[nodiscard]] std::uint64_t count() const { return count_; }

  [[nodiscard]] ReceiverReport report() const {
    ReceiverReport report;
    report.bytes = bytes_;
    report.ended_ns = last_ns_ != 0 ? last_ns_ : steady_ns();
    report.complete = all();
    report.wrong = check_.wrong() + unknown_;
    report.differences = check_.differences();
    return report;
  }

 private:
  const TransferEnd& end_;
  Pattern pattern_;
  PatternCheck check_{pattern_};
  std::vector<bool> came_;
  std::uint64_t count_ = 0, bytes_ = 0, unknown_ = 0;
  std::int64_t last_ns_ = 0;
};

/// Until all came, or nothing more is to be expected: a second after the sender's last. `hello`:
/// repeated until the first datagram comes, so that the sender knows where to.
void receive_datagrams(int socket, TransferEnd& end, int direction, bool says_hello,
                       EndReport& report) {
  constexpr std::int64_t kQuietNs = 1'000'000'000;
  Arrivals arrivals{end, direction};
  std::vector<std::byte> data(65536);
  std::int64_t gone_ns = 0;
  while (!arrivals.all()) {
    if (says_hello && arrivals.last_ns() == 0) (void)send(socket, "?", 1, MSG_NOSIGNAL);
    const auto count = recv(socket, data.data(), data.size(), 0);
    if (count > 0) arrivals.take({data.data(), static_cast<std::size_t>(count)});
    const auto now = steady_ns();
    if (gone_ns == 0 && end.control.sender_gone[direction]) gone_ns = now;
    const bool quiet = gone_ns != 0 && now - std::max(gone_ns, arrivals.last_ns()) > kQuietNs;
    if (quiet || (end.control.began_ns != 0 && end.is_late())) break;
    if (end.control.client_over && gone_ns == 0) break;
  }
  report.successes = arrivals.count();
  report.receiver = arrivals.report();
}

}  // namespace

EndReport run_datagrams_client(const Descriptor& socket, const SocketAddress& server,
                               TransferEnd end) {
  EndReport report;
  if (connect_client(socket.get(), server, end, report)) {
    if (end.plan.to_server) {
      send_datagrams(socket.get(), server, end, kToServer, report);
    } else {
      receive_datagrams(socket.get(), end, kToClient, true, report);
    }
  }
  end.control.client_over = true;
  return report;
}

EndReport run_datagrams_server(const Descriptor& socket, TransferEnd end) {
  EndReport report;
  set_patience(socket.get(), kPatience);
  report.name = own_name(socket.get());
  if (end.plan.to_server) {
    receive_datagrams(socket.get(), end, kToServer, false, report);
    return report;
  }
  SocketAddress client;
  for (;;) {
    char hello = 0;
    client.length = sizeof client.storage;
    if (recvfrom(socket.get(), &hello, 1, 0, client.get(), &client.length) == 1) break;
    if (end.control.client_over || (end.control.began_ns != 0 && end.is_late())) return report;
  }
  send_datagrams(socket.get(), client, end, kToClient, report);
  return report;
}

}  // namespace slowpath::lab
