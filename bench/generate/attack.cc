// SPDX-License-Identifier: Apache-2.0
// One function an attack: makes its next frame.
#include "generate/attack.h"

#include <algorithm>
#include <vector>

#include "generate/attack_frame.h"
#include "generate/random.h"

namespace slowpath::bench {

namespace {

constexpr std::uint8_t kFlagSyn = 2, kFlagRst = 4, kFlagAck = 16;
constexpr std::uint64_t kFirstNs = 1'700'000'000'000'000'000;
constexpr std::uint64_t kBetweenNs = 10'000;

class Attack {
 public:
  Attack(AttackKind kind, std::uint64_t packets, std::uint64_t seed, CaptureFile& file)
      : kind_(kind), packets_(packets), random_(seed), file_(file) {}
  void run();

 private:
  void make_next();
  void make_syn();
  void make_one_packet();
  void make_reuse();
  void make_collision();
  void make_fragment();
  void make_tiny_fragment();
  void make_overlap();
  void make_options();
  void make_tunnel();
  void make_wrap();
  void make_backwards();
  void make_reset();
  void make_icmp();
  void segment(const Ip4Fields& ip, const TcpFields& tcp, std::size_t payload_len = 0,
               std::uint8_t fill = 0);
  void write();
  void sound_step(std::uint32_t step);
  void sound_segment(bool from_server, std::uint8_t flags, std::uint32_t seq, std::uint32_t ack,
                     std::size_t len);
  /// Ends that were not there before, by the number of the frame.
  Ip4Fields new_host() const {
    return {.source = 0x0b000000U + static_cast<std::uint32_t>(number_ / 50'000)};
  }
  std::uint16_t new_port() const { return static_cast<std::uint16_t>(1024 + number_ % 50'000); }
  std::uint32_t any32() { return static_cast<std::uint32_t>(random_.next()); }

  AttackKind kind_;
  std::uint64_t packets_;
  Random random_;
  CaptureFile& file_;
  AttackFrame frame_;
  std::vector<std::byte> options_;
  std::uint64_t number_ = 0;  // of the attack's frame
  std::uint64_t now_ns_ = kFirstNs;
};

void Attack::run() {
  constexpr std::uint32_t kSteps = 3 + 2 * kSoundSegments;
  const std::uint64_t between = std::max<std::uint64_t>(packets_ / kSteps, 1);
  for (std::uint32_t step = 0; number_ < packets_; ++number_) {
    if (number_ % between == 0 && step < kSteps) sound_step(step++);
    frame_.clear();
    make_next();
    write();
  }
}

void Attack::write() {
  file_.write(now_ns_, frame_.bytes(), {});
  now_ns_ = kind_ == AttackKind::backwards ? now_ns_ - 1'000'000'000 : now_ns_ + kBetweenNs;
}

void Attack::make_next() {
  switch (kind_) {
    case AttackKind::syns:
      return make_syn();
    case AttackKind::one_packets:
      return make_one_packet();
    case AttackKind::reuse:
      return make_reuse();
    case AttackKind::collisions:
      return make_collision();
    case AttackKind::fragments:
      return make_fragment();
    case AttackKind::tiny_fragments:
      return make_tiny_fragment();
    case AttackKind::overlaps:
      return make_overlap();
    case AttackKind::options:
      return make_options();
    case AttackKind::tunnels:
      return make_tunnel();
    case AttackKind::wraps:
      return make_wrap();
    case AttackKind::backwards:
      return make_backwards();
    case AttackKind::resets:
      return make_reset();
    case AttackKind::icmp:
      return make_icmp();
  }
}

void Attack::segment(const Ip4Fields& ip, const TcpFields& tcp, std::size_t payload_len,
                     std::uint8_t fill) {
  frame_.ethernet(kEtherIp4);
  frame_.ip4(ip, AttackFrame::tcp_len(tcp, payload_len));
  frame_.tcp(tcp, payload_len, fill, false);
}

void Attack::make_syn() {
  segment(new_host(), {.source_port = new_port(), .seq = any32(), .flags = kFlagSyn});
}

void Attack::make_one_packet() {
  segment(new_host(),
          {.source_port = new_port(), .seq = any32(), .ack = any32(), .flags = kFlagAck}, 64, 1);
}

void Attack::make_reuse() { segment({.source = 0x0b000001}, {.seq = any32(), .flags = kFlagSyn}); }

// The multiplier of a folded multiply: what is combined with it by XOR becomes zero, or one. Every
// other time half of the address takes back what the first half made of a hash without a secret.
void Attack::make_collision() {
  constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15;
  const TcpFields tcp{.seq = any32(), .flags = kFlagSyn};
  std::uint64_t network = kMultiplier ^ number_ / 2 % 2, host = number_ + 1;
  if (number_ % 2 == 1) {
    network = number_;
    host = (6 ^ network) * kMultiplier;
    host ^= host >> 32;
  }
  frame_.ethernet(kEtherIp6);
  frame_.ip6({.source_network = network,
              .source_host = host,
              .destination_network = 0xfd00000000000000,
              .destination_host = 1},
             AttackFrame::tcp_len(tcp, 0));
  frame_.tcp(tcp, 0, 0, true);
}

void Attack::make_fragment() {
  constexpr std::uint16_t kMoreFragments = 0x2000;
  Ip4Fields ip{.source = 0x0b000000U + any32() % 64,
               .id = static_cast<std::uint16_t>(number_),
               .fragment = kMoreFragments};
  segment(ip, {.source_port = new_port(), .seq = any32(), .flags = kFlagAck}, 44, 1);
}

// Eight bytes of each of 64 datagrams, then the eight before them; the last piece never comes.
void Attack::make_tiny_fragment() {
  constexpr std::uint64_t kDatagrams = 64, kPieces = 8000;
  const std::uint64_t turn = number_ / kDatagrams;
  const auto offset = static_cast<std::uint16_t>(kPieces - 1 - turn % kPieces);
  const Ip4Fields ip{.source = 0x0b000001,
                     .id = static_cast<std::uint16_t>(number_ % kDatagrams + turn / kPieces * 64),
                     .fragment = static_cast<std::uint16_t>(0x2000 | offset)};
  frame_.ethernet(kEtherIp4);
  frame_.ip4(ip, 8);
  frame_.fill(8, static_cast<std::uint8_t>(offset));
}

void Attack::make_overlap() {
  const std::uint32_t at = any32() % 65'536;
  segment({.source = 0x0b000001}, {.seq = 1 + at, .ack = 1, .flags = kFlagAck}, 1 + any32() % 1400,
          static_cast<std::uint8_t>(any32()));
}

void Attack::make_options() {
  options_.assign(40, std::byte{1});
  const auto set = [this](std::size_t at, std::uint32_t kind, std::uint32_t len) {
    options_[at] = static_cast<std::byte>(kind);
    options_[at + 1] = static_cast<std::byte>(len);
  };
  switch (number_ % 5) {
    case 0:  // Nobody knows it: 14 bytes, and again.
      for (const std::size_t at : {0U, 14U}) set(at, 254, 14);
      break;
    case 1:  // Forty NOPs.
      break;
    case 2:  // Four blocks of anything.
      for (std::size_t i = 2; i < 34; ++i) options_[i] = static_cast<std::byte>(any32());
      set(0, 5, 34);
      break;
    case 3:  // Lengths of nothing, of less than a header, of more than there is.
      set(0, 3, any32() % 3);
      set(20, 2, 200);
      break;
    default:  // Half of each.
      for (std::size_t at = 0; at < 36; at += 4) set(at, static_cast<std::uint32_t>(2 + at % 7), 4);
  }
  segment({.source = 0x0b000001},
          {.seq = static_cast<std::uint32_t>(1 + number_ * 10),
           .ack = 1,
           .flags = number_ % 64 == 0 ? kFlagSyn : kFlagAck,
           .options = options_},
          10, 1);
}

void Attack::make_tunnel() {
  const std::size_t depth = 1 + number_ % 40;
  const TcpFields tcp{.source_port = new_port(), .seq = any32(), .flags = kFlagAck};
  const std::size_t inner_len = AttackFrame::tcp_len(tcp, 8);
  const bool tags = number_ % 2 == 0;
  frame_.ethernet(tags ? kEtherVlan : kEtherIp4);
  for (std::size_t i = 0; tags && i < depth; ++i) {
    frame_.put16(static_cast<std::uint32_t>(i));
    frame_.put16(i + 1 < depth ? kEtherVlan : kEtherIp4);
  }
  // GRE carries an IP header as IP-in-IP does, but for its own four bytes.
  const std::size_t level_len = number_ % 3 == 0 ? 24 : 20;
  for (std::size_t left = depth; left > 0; --left) {
    frame_.ip4({.protocol = level_len == 24 ? kGre : kIpInIp},
               (left - 1) * level_len + (level_len - 20) + 20 + inner_len);
    if (level_len == 24) frame_.put32(kEtherIp4);
  }
  frame_.ip4({}, inner_len);
  frame_.tcp(tcp, 8, 1, false);
}

void Attack::make_wrap() {
  const auto seq = static_cast<std::uint32_t>(number_ * 0x7fff'ffffU);
  segment({.source = 0x0b000001}, {.seq = seq, .ack = seq, .flags = kFlagAck}, 100, 1);
}

void Attack::make_backwards() {
  segment({.source = 0x0b000001 + static_cast<std::uint32_t>(number_ % 100)},
          {.seq = static_cast<std::uint32_t>(number_ / 100 * 50), .ack = 1, .flags = kFlagAck}, 50,
          1);
}

void Attack::make_reset() {
  segment({.source = 0x0b000001 + any32() % 1000},
          {.seq = any32(),
           .ack = any32(),
           .flags = number_ % 8 == 0 ? kFlagAck : static_cast<std::uint8_t>(kFlagRst | kFlagAck)},
          number_ % 8 == 0 ? 20 : 0, 1);
}

// Destination unreachable, fragmentation needed, with the first bytes of what it is about.
void Attack::make_icmp() {
  const TcpFields tcp{.source_port = number_ % 2 == 0 ? std::uint16_t{1000} : new_port(),
                      .seq = any32(),
                      .flags = kFlagAck};
  frame_.ethernet(kEtherIp4);
  frame_.ip4({.source = any32(), .destination = 0x0b000001, .protocol = 1}, 8 + 40);
  frame_.put32(0x03040000);
  frame_.put32(any32() % 1500);
  frame_.ip4({.source = 0x0b000001}, 20);
  frame_.tcp(tcp, 0, 0, false);
  if (number_ % 1000 != 0) return;
  frame_.clear();  // The connection that every other error is about.
  segment({.source = 0x0b000001}, {.seq = static_cast<std::uint32_t>(number_), .flags = kFlagAck},
          8);
}

void Attack::sound_segment(bool from_server, std::uint8_t flags, std::uint32_t seq,
                           std::uint32_t ack, std::size_t len) {
  constexpr std::uint32_t kClient = 0x0a636363, kServer = 0xc0000263;
  constexpr std::uint16_t kPort = 40'000;
  frame_.clear();
  Ip4Fields ip{.source = kClient, .destination = kServer};
  TcpFields tcp{.source_port = kPort, .seq = seq, .ack = ack, .flags = flags};
  if (from_server) {
    std::swap(ip.source, ip.destination);
    std::swap(tcp.source_port, tcp.destination_port);
  }
  segment(ip, tcp, len, static_cast<std::uint8_t>(seq));
  file_.write(now_ns_, frame_.bytes(), {});
}

void Attack::sound_step(std::uint32_t step) {
  constexpr std::uint32_t kClientIsn = 100, kServerIsn = 900;
  if (step == 0) return sound_segment(false, kFlagSyn, kClientIsn, 0, 0);
  if (step == 1) return sound_segment(true, kFlagSyn | kFlagAck, kServerIsn, kClientIsn + 1, 0);
  if (step == 2) return sound_segment(false, kFlagAck, kClientIsn + 1, kServerIsn + 1, 0);
  const std::uint32_t sent = (step - 3) / 2 * kSoundSegmentBytes;
  if (step % 2 == 1) {
    return sound_segment(true, kFlagAck, kServerIsn + 1 + sent, kClientIsn + 1, kSoundSegmentBytes);
  }
  sound_segment(false, kFlagAck, kClientIsn + 1, kServerIsn + 1 + sent + kSoundSegmentBytes, 0);
}

}  // namespace

std::optional<AttackKind> attack_kind_of(std::string_view name) {
  const auto* const found = std::ranges::find(kAttackNames, name);
  if (found == kAttackNames.end()) return std::nullopt;
  return static_cast<AttackKind>(found - kAttackNames.begin());
}

void write_attack(AttackKind kind, std::uint64_t packets, std::uint64_t seed, CaptureFile& file) {
  Attack(kind, packets, seed, file).run();
}

}  // namespace slowpath::bench
