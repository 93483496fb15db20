// SPDX-License-Identifier: Apache-2.0
// A cable as a thread that copies frames as they are.
#include "support/lab_pair.h"

#include <poll.h>

#include <array>
#include <chrono>
#include <utility>
#include <vector>

namespace slowpath::test {

const Result<lab::Privileges>& lab_privileges() {
  static const auto privileges = lab::gain_privileges();
  return privileges;
}

Result<std::unique_ptr<LabPair>> LabPair::make(const Options& options) {
  std::unique_ptr<LabPair> pair{new LabPair};
  pair->options_ = options;
  for (const bool is_client : {false, true}) {
    auto host = lab::Host::make(is_client ? options.client : options.server, options.ipv6);
    if (!host) return std::unexpected(host.error());
    auto side = (*host)->add_interface({.link = 1, .side = is_client ? 2U : 1U}, *lab_privileges());
    if (!side) return std::unexpected(side.error());
    (is_client ? pair->client_ : pair->server_) = std::move(*host);
    (is_client ? pair->client_side_ : pair->server_side_) = std::move(*side);
  }
  return pair;
}

LabPair::~LabPair() {
  stopping_ = true;
  if (cable_.joinable()) cable_.join();
}

Result<std::unique_ptr<lab::Transfer>> LabPair::start(std::map<std::string, std::string> table) {
  return lab::start_transfer("main", lab::Settings{"transfer main", std::move(table)}, *client_,
                             *server_, lab::address_of(1, 1, options_.ipv6), options_.ipv6, 7);
}

lab::TransferResult LabPair::finish(lab::Transfer& transfer) {
  plug_in();
  for (bool over = false; !over;) {
    pollfd ready{.fd = transfer.fd(), .events = POLLIN, .revents = 0};
    (void)poll(&ready, 1, 1000);
    over = transfer.poll();
  }
  return transfer.take_result();
}

lab::TransferResult LabPair::transfer(std::map<std::string, std::string> table) {
  const auto started = start(std::move(table));
  if (started) return finish(**started);
  lab::TransferResult result;
  result.error = started.error().message();
  return result;
}

void LabPair::plug_in() {
  // Late, so that processes are forked while there is one thread.
  if (!cable_.joinable()) cable_ = std::thread{[this] { carry(); }};
}

namespace {

std::int64_t now_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

}  // namespace

void LabPair::deliver() {
  while (!under_way_.empty() && under_way_.front().due_ns <= now_ns()) {
    auto& first = under_way_.front();
    lab::Frame frame;
    frame.data = first.bytes.data();
    frame.len = static_cast<std::uint32_t>(first.bytes.size());
    frame.capacity = frame.len;
    frame.vnet = first.vnet;
    (first.to == 0 ? client_side_ : server_side_)->send(frame);
    under_way_.pop_front();
  }
}

void LabPair::carry() {
  std::vector<std::byte> buffer(lab::FramePool::kLargeBytes);
  lab::Frame frame;
  frame.data = buffer.data();
  frame.capacity = lab::FramePool::kLargeBytes;
  const std::array ends{client_side_.get(), server_side_.get()};
  std::uint64_t large = 0;
  while (!stopping_) {
    std::array<pollfd, 2> ready{pollfd{.fd = ends[0]->fd(), .events = POLLIN, .revents = 0},
                                pollfd{.fd = ends[1]->fd(), .events = POLLIN, .revents = 0}};
    (void)poll(ready.data(), ready.size(), under_way_.empty() ? 20 : 1);
    for (const std::size_t from : {0U, 1U}) {
      for (int i = 0; i < 64 && ends[from]->receive(frame); ++i) {
        if (options_.cut) continue;
        constexpr std::uint32_t kBody = 500;
        if (options_.spoils && frame.len > 2 * kBody && ++large % 10 == 0)
          frame.data[kBody] ^= std::byte{0x20};
        if (options_.delay > Duration{0}) {
          under_way_.push_back({.due_ns = now_ns() + options_.delay.count(),
                                .to = 1 - from,
                                .vnet = frame.vnet,
                                .bytes = {frame.data, frame.data + frame.len}});
        } else {
          ends[1 - from]->send(frame);
        }
      }
    }
    deliver();
  }
}

}  // namespace slowpath::test
