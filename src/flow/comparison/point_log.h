// SPDX-License-Identifier: Apache-2.0
// What one capture point recorded: for each connection and way a bounded log of packets. Keeps no
// payload.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "facts/comparison.h"
#include "facts/tcp_options.h"
#include "flow/comparison/copy.h"

namespace slowpath::flow::comparison {

/// The first bytes of a data packet, by which the same stream is known elsewhere.
struct Fingerprint {
  std::uint64_t hash = 0;
  std::uint32_t sequence = 0;
};

struct SynSeen {
  std::size_t copy = 0;  // position in WayLog::bare
  TcpOptions options;
};

/// The packets of one way of a connection, in the order of the file.
struct WayLog {
  static constexpr std::size_t kFingerprints = 16;
  static constexpr std::size_t kSyns = 8;
  std::vector<Copy> data, bare;  // with payload, and without
  std::optional<SeqNum> first_sequence;
  std::optional<SeqNum> initial_sequence;  // of a SYN
  std::int64_t newest = 0;                 // where the unwrapping has got to
  std::vector<Fingerprint> fingerprints;
  std::vector<SynSeen> syns;
  std::uint64_t stamped = 0;   // packets with timestamps, SYNs not counted
  std::uint16_t peer_mss = 0;  // that the receiver of this way announced

  [[nodiscard]] std::size_t packets() const { return data.size() + bare.size(); }
};

/// An ICMP error about a packet of a connection.
struct IcmpSeen {
  Time time{};
  FrameRef frame;
  IpAddress from;
  std::uint8_t version = 4, type = 0, code = 0;
  std::uint32_t mtu = 0, quoted_ip_len = 0;
  SeqNum sequence;
  bool has_sequence = false;
  Direction about = Direction::to_server;
};

struct ConnectionLog {
  Endpoint client, server;
  bool client_known = false;  // by a SYN
  FrameRef first_frame;
  Time first{}, last{};
  std::array<WayLog, 2> ways;  // by Direction
  std::vector<IcmpSeen> icmp;  // the first kMostIcmp
  static constexpr std::size_t kMostIcmp = 1024;

  WayLog& operator[](Direction way) { return ways[static_cast<std::size_t>(way)]; }
  const WayLog& operator[](Direction way) const { return ways[static_cast<std::size_t>(way)]; }
  [[nodiscard]] std::uint64_t packets() const { return ways[0].packets() + ways[1].packets(); }
};

class PointLog {
 public:
  PointLog(std::string name, bool verify_checksums, std::uint64_t memory_bytes);

  void add(const wire::Frame& frame, const wire::Packet& packet);
  /// Packets of this input are among those added.
  void add_input(std::uint16_t input) { facts_.inputs.push_back(input); }

  [[nodiscard]] const ComparedPoint& facts() const { return facts_; }
  [[nodiscard]] const std::deque<ConnectionLog>& connections() const { return connections_; }

 private:
  using Key = std::pair<Endpoint, Endpoint>;

  void add_tcp(const wire::Frame& frame, const wire::Packet& packet);
  void add_icmp(const wire::Frame& frame, const wire::Packet& packet);
  ConnectionLog& connection_of(const wire::Packet& packet);
  ConnectionLog& begin_connection(const Key& key, const wire::Packet& packet);
  [[nodiscard]] bool begins_anew(const ConnectionLog& log, const wire::Packet& packet) const;
  [[nodiscard]] Copy copy_of(const wire::Frame& frame, const wire::Packet& packet,
                             WayLog& way) const;
  [[nodiscard]] static bool is_tap_copy(const std::vector<Copy>& copies, const Copy& copy);
  bool has_room();

  ComparedPoint facts_;
  bool verify_checksums_;
  std::uint64_t memory_bytes_, used_bytes_ = 0;
  bool full_ = false;
  std::deque<ConnectionLog> connections_;
  std::map<Key, std::size_t> newest_;  // of a pair of ends
};

}  // namespace slowpath::flow::comparison
