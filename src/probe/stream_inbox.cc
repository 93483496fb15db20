// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "probe/served_session.h"

namespace slowpath::probe {

bool StreamInbox::put(std::uint16_t number, Descriptor socket) {
  {
    const std::lock_guard lock{mutex_};
    if (streams_.size() >= kMost) return false;
    streams_.emplace_back(number, std::move(socket));
  }
  changed_.notify_all();
  return true;
}

Result<Descriptor> StreamInbox::take(std::uint16_t number, Duration timeout) {
  std::unique_lock lock{mutex_};
  auto found = streams_.end();
  const auto is_there = [&] {
    found = std::ranges::find(streams_, number, [](const auto& each) { return each.first; });
    return found != streams_.end();
  };
  if (!changed_.wait_for(lock, timeout, is_there))
    return fail(ErrorKind::network, fmt::format("stream {} did not arrive", number));
  Descriptor socket = std::move(found->second);
  streams_.erase(found);
  return socket;
}

}  // namespace slowpath::probe
