// SPDX-License-Identifier: Apache-2.0
// One end of a control connection: whole messages, with deadlines.
#pragma once

#include <cstddef>
#include <optional>

#include "base/descriptor.h"
#include "base/result.h"
#include "base/time.h"
#include "probe/message.h"

namespace slowpath::probe {

class Channel {
 public:
  explicit Channel(Descriptor socket, std::size_t most = kMostBeforeLogin)
      : socket_(std::move(socket)), reader_(most) {}

  [[nodiscard]] int socket() const { return socket_.get(); }
  /// From the login on larger messages are allowed.
  void set_limit(std::size_t most) { reader_.set_limit(most); }
  /// What had been read from the socket before.
  void feed(Bytes already) { reader_.feed(already); }

  Result<void> send_bytes(Bytes bytes, Duration timeout);
  Result<void> send(const Json& message, Duration timeout);
  /// The next message. Fails with kind network when the peer closed, was silent for `timeout`, or
  /// sent what is no message.
  Result<Json> receive(Duration timeout);
  /// Like receive(), of a type that must be `type`. The peer's own "error" becomes ours, with its
  /// words.
  Result<Json> expect(std::string_view type, Duration timeout);
  /// What is there already; none if nothing is whole yet. For poll loops.
  Result<std::optional<Json>> poll();

 private:
  Descriptor socket_;
  FrameReader reader_;
};

/// {"type": "error", "code": ..., "text": ...}; expect() at the other end turns it into an Error.
Json error_message(std::string_view code, std::string_view text);

}  // namespace slowpath::probe
