// SPDX-License-Identifier: Apache-2.0
// What lab_switch.py measures with: the plane between two named network namespaces, and a UDP echo
// that times round trips.
//
//   lab_switch_bench switch NAMESPACE NAMESPACE MTU [KIND,KEY=VALUE,...]...   until SIGTERM
//   lab_switch_bench echo                                     answers on UDP port 7007
//   lab_switch_bench ping ADDRESS COUNT INTERVAL_US           prints round trips in ns, one a line
//
// Stages of `switch` are those of both directions.
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lab/endpoint.h"
#include "lab/plane.h"

namespace {

using namespace slowpath;
using namespace slowpath::lab;

constexpr std::uint16_t kEchoPort = 7007;

Plane* running = nullptr;
void end_run(int) { running->stop(); }

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "lab_switch_bench: %s\n", why.c_str());
  std::exit(1);
}

void enter(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 || setns(fd, CLONE_NEWNET) != 0) give_up("cannot enter the namespace " + path);
  close(fd);
}

std::unique_ptr<Endpoint> cable(const std::string& name, int side, const std::string& mtu) {
  enter("/run/netns/" + name);
  auto endpoint = open_tap("eth0");
  if (!endpoint) give_up(endpoint.error().message());
  const auto mac = [](int of) { return "02:00:00:00:00:0" + std::to_string(of); };
  const int other = 3 - side;
  const std::string steps[]{
      "ip link set eth0 address " + mac(side) + " mtu " + mtu + " txqueuelen 10000 up",
      "ip addr add 10.0.0." + std::to_string(side) + "/24 dev eth0",
      // The first packet shall not wait for ARP.
      "ip neigh add 10.0.0." + std::to_string(other) + " lladdr " + mac(other) +
          " dev eth0 nud permanent"};
  for (const auto& step : steps) {
    if (std::system(step.c_str()) != 0) give_up(step);
  }
  return std::move(*endpoint);
}

StageSpec spec_of(std::string_view text) {
  const auto next = [&] {
    const auto comma = text.find(',');
    const std::string part(text.substr(0, comma));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    return part;
  };
  const std::string name = next();
  const StageKind* kind = find_stage_kind(name);
  if (kind == nullptr) give_up("no stage of kind " + name);
  std::map<std::string, std::string> keys;
  while (!text.empty()) {
    const std::string part = next();
    const auto equals = part.find('=');
    if (equals == std::string::npos) give_up("not KEY=VALUE: " + part);
    keys[part.substr(0, equals)] = part.substr(equals + 1);
  }
  return {kind, Settings(name, std::move(keys))};
}

int run_switch(const std::vector<std::string>& arguments) {
  Plane plane(1);
  plane.add_endpoint(cable(arguments[0], 1, arguments[2]));
  plane.add_endpoint(cable(arguments[1], 2, arguments[2]));
  Plane::LinkSpec link{.a = 0, .b = 1, .a_name = "a", .b_name = "b", .a_to_b = {}, .b_to_a = {}};
  for (std::size_t i = 3; i < arguments.size(); ++i) {
    link.a_to_b.push_back(spec_of(arguments[i]));
    link.b_to_a.push_back(spec_of(arguments[i]));
  }
  if (const auto added = plane.add_link(std::move(link)); !added) give_up(added.error().message());
  running = &plane;
  signal(SIGTERM, end_run);
  signal(SIGINT, end_run);
  std::puts("ready");
  std::fflush(stdout);
  plane.run();
  for (std::uint32_t i = 0; i < 2; ++i) {
    const EndpointCounts& counts = plane.endpoint_counts(i);
    std::printf("endpoint %u: received %lu frames (%lu super, %lu bytes), sent %lu, failed %lu\n",
                i, counts.frames_received, counts.super_frames_received, counts.bytes_received,
                counts.frames_sent, counts.send_failures);
  }
  const Lateness late = plane.lateness();
  std::printf("lateness: %lu frames, median %ld ns, p99 %ld ns, worst %ld ns\n", late.frames,
              late.median.count(), late.p99.count(), late.worst.count());
  return 0;
}

int echo() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_port = htons(kEchoPort);
  if (bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof any) != 0) give_up("cannot bind");
  std::puts("ready");
  std::fflush(stdout);
  char buffer[64];
  for (;;) {
    sockaddr_in from{};
    socklen_t from_len = sizeof from;
    auto* address = reinterpret_cast<sockaddr*>(&from);
    const ssize_t got = recvfrom(fd, buffer, sizeof buffer, 0, address, &from_len);
    if (got > 0) (void)sendto(fd, buffer, static_cast<std::size_t>(got), 0, address, from_len);
  }
}

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

int ping(const std::string& to, int count, long interval_us) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(kEchoPort);
  inet_pton(AF_INET, to.c_str(), &address.sin_addr);
  const timeval patience{.tv_sec = 1, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  prctl(PR_SET_TIMERSLACK, 1UL);
  for (int i = 0; i < count; ++i) {
    char byte = 0;
    const std::int64_t begin = now_ns();
    (void)sendto(fd, &byte, 1, 0, reinterpret_cast<sockaddr*>(&address), sizeof address);
    if (recv(fd, &byte, 1, 0) == 1) std::printf("%ld\n", now_ns() - begin);
    usleep(static_cast<useconds_t>(interval_us));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + (argc > 1 ? 2 : 1), argv + argc);
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "switch" && arguments.size() >= 3) return run_switch(arguments);
  if (mode == "echo") return echo();
  if (mode == "ping" && arguments.size() == 3)
    return ping(arguments[0], std::atoi(arguments[1].c_str()), std::atol(arguments[2].c_str()));
  give_up("usage: see the head of bench/lab_switch.cc");
}
