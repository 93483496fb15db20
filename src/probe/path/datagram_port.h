// SPDX-License-Identifier: Apache-2.0
// One end of the datagram tests: a UDP socket and a thread that counts what comes. Takes datagrams
// from one address only, with the session's token in them; the far end of a test answers echo
// requests, never with more bytes than it was sent, and sends elsewhere never.
//
// A datagram, in network order: "SLPD", version 1, kind, run (16 bits), token (64), sequence (32),
// time of sending in ns of the sender's clock (64); then filling. 28 bytes at least.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "base/time.h"
#include "facts/address.h"
#include "probe/path/datagram_tally.h"
#include "probe/path/error_queue.h"
#include "probe/path/fragment_sender.h"

namespace slowpath::probe {

enum class DatagramKind : std::uint8_t { echo_request = 1, echo_reply = 2, counted = 3 };

/// A stream of datagrams to send.
struct DatagramPlan {
  std::uint16_t run = 0;
  DatagramKind kind = DatagramKind::counted;
  std::vector<std::uint32_t> ip_bytes;  // sizes, one after the other and again from the first
  std::uint64_t count = 0;              // at most DatagramTally::kMost
  double rate_bps = 0;                  // of IP packets; 0: all at once
  bool dont_fragment = true;
  /// > 0: what is larger is cut for this MTU here, and the last fragment sent first. Needs a raw
  /// socket.
  std::uint32_t last_first_mtu = 0;
};

struct DatagramSent {
  std::uint64_t sent = 0, too_large_here = 0, failed = 0;
  double seconds = 0;
  std::uint64_t bytes = 0;  // IP
  bool last_first = false;  // fragments were sent in that order
  std::string unable;       // why they could not be; empty if they could
  std::vector<bool>
      refused_here;  // by sequence, of at most 256: the own interface did not let it out
};

class DatagramPort {
 public:
  static constexpr std::size_t kHeader = 28;
  /// `local`: address to bind; `peer`: the only address to speak with.
  static Result<std::unique_ptr<DatagramPort>> open(const IpAddress& local, const IpAddress& peer,
                                                    std::uint64_t token, bool answers);
  ~DatagramPort();
  DatagramPort(const DatagramPort&) = delete;
  DatagramPort& operator=(const DatagramPort&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Where to send: the far end is told its peer's port; this end learns it from a datagram with
  /// the token, which proves the address.
  void set_peer_port(std::uint16_t port) { peer_port_ = port; }
  [[nodiscard]] bool knows_peer() const { return peer_port_ != 0; }

  /// Sends a whole plan, paced, and returns when the last one has left or `stop` is set.
  DatagramSent send(const DatagramPlan& plan, const std::atomic<bool>* stop = nullptr);

  /// What has come of a run so far.
  TallyResult tally(std::uint16_t run, std::uint64_t sent);

  /// When the echo replies of a run came, by sequence; -1 where none did. Waits until `count` have
  /// or the time is over.
  struct Echo {
    std::int64_t sent_ns = 0, came_ns = -1;
  };
  std::vector<Echo> await_echoes(std::uint16_t run, std::uint32_t count, Duration wait);
  /// Which of the counted datagrams of a run came, by sequence, after waiting likewise.
  std::vector<bool> await_counted(std::uint16_t run, std::uint32_t count, Duration wait);

  /// Errors that came since the last call.
  std::vector<SocketError> take_errors();

 private:
  DatagramPort(const IpAddress& local, const IpAddress& peer, std::uint64_t token, bool answers)
      : local_(local), peer_(peer), token_(token), answers_(answers) {}
  void listen();
  void take_datagrams();
  void take(std::span<const std::byte> bytes, const Endpoint& from, std::size_t whole_bytes);
  void prefer_fragmentation(bool dont_fragment);
  ssize_t send_packet(const DatagramPlan& plan, Bytes payload, std::uint32_t ip_bytes,
                      Duration& patience);
  ssize_t send_last_first(Bytes payload, std::uint32_t mtu_bytes);

  struct Run {
    DatagramTally tally;
    std::map<std::uint32_t, Echo> echoes;
    std::vector<bool> came;  // the first 4096
  };

  IpAddress local_, peer_;
  std::uint64_t token_;
  bool answers_;
  Descriptor socket_, wake_;
  std::uint16_t port_ = 0;
  std::atomic<std::uint16_t> peer_port_{0};
  std::atomic<bool> closing_{false};
  std::mutex mutex_;
  std::condition_variable came_;
  std::map<std::uint16_t, Run> runs_;
  std::vector<SocketError> errors_;
  std::optional<FragmentSender> fragments_;  // made when first asked for
  std::thread thread_;
};

/// The sequence number that a quoted datagram of ours carried, where the quote is long enough.
std::optional<std::uint32_t> sequence_of_quote(std::span<const std::byte> quote,
                                               std::uint64_t token);

}  // namespace slowpath::probe
