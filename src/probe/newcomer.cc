// SPDX-License-Identifier: Apache-2.0
#include "probe/newcomer.h"

#include <sys/socket.h>

#include <cerrno>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "probe/channel.h"
#include "probe/secret.h"

namespace slowpath::probe {

bool is_loopback(const IpAddress& address) {
  if (address.version == 4) return address.bytes[0] == 127;
  IpAddress one;
  one.version = 6;
  one.bytes[15] = 1;
  return address == one;
}

bool Admission::needs_proof(const IpAddress& client) const {
  if (open) return false;
  return secret_on_loopback || !is_loopback(client);
}

Newcomer::Newcomer(Descriptor socket, Endpoint client, const Admission& admission,
                   std::int64_t deadline_ns)
    : socket_(std::move(socket)),
      client_(client),
      admission_(&admission),
      deadline_ns_(deadline_ns) {}

bool Newcomer::tell(const Json& message) {
  const std::string frame = frame_of(message);
  return send(socket(), frame.data(), frame.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(frame.size());
}

bool Newcomer::greet() {
  nonce_ = random_hex(16);
  return tell({{"type", "hello"},
               {"major", kProtocolMajor},
               {"minor", kProtocolMinor},
               {"version", admission_->version},
               {"needs_proof", admission_->needs_proof(client_.address)},
               {"nonce", nonce_}});
}

// Exactly the preamble is read: what follows on a stream belongs to its test.
NewcomerState Newcomer::read_preamble() {
  while (head_size_ < head_.size()) {
    const auto room = std::span{head_}.subspan(head_size_);
    const ssize_t got = recv(socket(), room.data(), room.size(), 0);
    if (got == 0) return NewcomerState::gone;
    if (got < 0)
      return errno == EAGAIN || errno == EINTR ? NewcomerState::waiting : NewcomerState::gone;
    head_size_ += static_cast<std::size_t>(got);
    if (!may_become_preamble(Bytes{head_}.first(head_size_))) return NewcomerState::garbled;
  }
  const auto preamble = decode_preamble(head_);
  if (!preamble) return NewcomerState::garbled;
  preamble_ = *preamble;
  has_preamble_ = true;
  if (preamble_.kind == ConnectionKind::data) return NewcomerState::stream;
  // The hello tells the version, and so whom another version speaks to.
  return greet() ? NewcomerState::waiting : NewcomerState::gone;
}

NewcomerState Newcomer::read_login() {
  while (true) {
    std::array<std::byte, 1024> piece;
    const ssize_t got = recv(socket(), piece.data(), piece.size(), 0);
    if (got == 0) return NewcomerState::gone;
    if (got < 0)
      return errno == EAGAIN || errno == EINTR ? NewcomerState::waiting : NewcomerState::gone;
    reader_.feed(Bytes{piece}.first(static_cast<std::size_t>(got)));
    auto message = reader_.next();
    if (!message) return NewcomerState::garbled;
    if (!message->has_value()) continue;
    if (type_of(**message) != "login") return NewcomerState::garbled;
    Fields fields{**message};
    const std::string nonce = fields.text("nonce", 64), proof = fields.text_or("proof", "", 64);
    if (!fields.ok()) return NewcomerState::garbled;
    const bool knows = !admission_->secret.empty() &&
                       same_proof(proof, proof_of(admission_->secret, Role::client, nonce_, nonce));
    if (!knows && admission_->needs_proof(client_.address)) {
      tell(error_message("token", "the token is wrong"));
      return NewcomerState::refused;
    }
    if (knows) server_proof_ = proof_of(admission_->secret, Role::server, nonce_, nonce);
    return NewcomerState::session;
  }
}

NewcomerState Newcomer::advance() {
  if (!has_preamble_) {
    const NewcomerState state = read_preamble();
    if (!has_preamble_ || state != NewcomerState::waiting) return state;
  }
  return read_login();
}

}  // namespace slowpath::probe
