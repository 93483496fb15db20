// SPDX-License-Identifier: Apache-2.0
// A connection to the server that has not proved itself: a state machine that never waits. Preamble
// and login arrive in pieces of any size; what the connection turns out to be is told once.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/descriptor.h"
#include "facts/address.h"
#include "probe/message.h"
#include "probe/preamble.h"

namespace slowpath::probe {

/// What newcomers are held against. Outlives them.
struct Admission {
  std::string secret;
  bool secret_on_loopback = false;
  bool open = false;
  std::string version;

  [[nodiscard]] bool needs_proof(const IpAddress& client) const;
};

bool is_loopback(const IpAddress& address);

enum class NewcomerState : std::uint8_t {
  waiting,  // more must arrive
  session,  // a control connection that has proved itself
  stream,   // a data connection of `session_id`
  refused,  // the wrong secret: it has been told
  garbled,  // no words of ours
  gone,     // closed, or does not take what it is told
};

class Newcomer {
 public:
  Newcomer(Descriptor socket, Endpoint client, const Admission& admission,
           std::int64_t deadline_ns);

  /// Reads what is there.
  NewcomerState advance();

  [[nodiscard]] int socket() const { return socket_.get(); }
  [[nodiscard]] std::int64_t deadline_ns() const { return deadline_ns_; }
  [[nodiscard]] const Endpoint& client() const { return client_; }
  [[nodiscard]] const Preamble& preamble() const { return preamble_; }
  /// For the welcome: empty where the client gave no proof.
  [[nodiscard]] const std::string& server_proof() const { return server_proof_; }
  Descriptor take_socket() { return std::move(socket_); }
  /// Sends without waiting; false if the socket does not take it whole.
  bool tell(const Json& message);

 private:
  NewcomerState read_preamble();
  NewcomerState read_login();
  bool greet();

  Descriptor socket_;
  Endpoint client_;
  const Admission* admission_;
  std::int64_t deadline_ns_;
  std::array<std::byte, Preamble::kBytes> head_{};
  std::size_t head_size_ = 0;
  bool has_preamble_ = false;
  Preamble preamble_;
  std::string nonce_, server_proof_;
  FrameReader reader_;
};

}  // namespace slowpath::probe
