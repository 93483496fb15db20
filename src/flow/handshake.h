// SPDX-License-Identifier: Apache-2.0
// Follows the handshake of one connection as packets arrive.
#pragma once

#include <memory>

#include "facts/connection.h"
#include "flow/record.h"
#include "wire/packet.h"

namespace slowpath::flow {

class HandshakeTracker {
 public:
  /// A SYN of the client or a SYN-ACK of the server.
  void add_syn(const wire::Packet& packet, Time time, FrameRef frame, bool from_client);
  /// Any later packet: the client's ACK of the SYN-ACK completes the handshake, as does data of the
  /// server.
  void add_ack(const Record& record);
  /// A RST before completion.
  void add_reset(FrameRef frame, bool from_client);

  [[nodiscard]] const HandshakeFacts& facts() const { return facts_; }
  /// Spent afterwards.
  [[nodiscard]] SynCopyFacts take_copies() {
    return copies_ ? std::move(*copies_) : SynCopyFacts{};
  }
  [[nodiscard]] Time completed_at() const { return completed_at_; }
  [[nodiscard]] bool seen() const { return facts_.syn_count > 0 || facts_.syn_ack_count > 0; }

 private:
  void complete(Time time, bool by_client);
  [[nodiscard]] const SynFacts& newest_copy(const SynFacts& kept, bool from_client) const;
  void note_altered(const SynFacts& earlier, const SynFacts& copy, bool from_client);

  SynCopyFacts& copies();

  HandshakeFacts facts_;
  std::unique_ptr<SynCopyFacts> copies_;  // null until there is something to compare
  bool client_acked_ = false;
  Time first_{}, last_syn_{}, last_syn_ack_{}, completed_at_{};
};

}  // namespace slowpath::flow
