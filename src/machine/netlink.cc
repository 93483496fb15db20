// SPDX-License-Identifier: Apache-2.0
#include "machine/netlink.h"

#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

namespace slowpath::machine::netlink {
namespace {

// A dump fills what it is given up to 32 KiB (net/netlink/af_netlink.c: netlink_recvmsg); single
// messages are smaller.
constexpr std::size_t kBufferBytes = 64 << 10;
constexpr timeval kPatience{.tv_sec = 5, .tv_usec = 0};

constexpr std::size_t aligned(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

template <typename T>
std::optional<T> integer(std::optional<Bytes> payload) {
  if (!payload || payload->size() != sizeof(T)) return std::nullopt;
  return read_struct<T>(*payload);
}

// NLMSG_ERROR starts with the errno, negative; NLMSG_DONE may.
int error_of(Bytes payload) {
  const auto error = read_struct<int>(payload);
  return error && *error < 0 ? -*error : 0;
}

}  // namespace

void Attributes::Iterator::read() {
  const auto header = read_struct<nlattr>(rest_);
  if (!header || header->nla_len < sizeof(nlattr) || header->nla_len > rest_.size()) {
    rest_ = rest_.last(0);
    attribute_ = {};
    return;
  }
  attribute_ = {static_cast<std::uint16_t>(header->nla_type & NLA_TYPE_MASK),
                rest_.subspan(sizeof(nlattr), header->nla_len - sizeof(nlattr))};
}

Attributes::Iterator& Attributes::Iterator::operator++() {
  const std::size_t step = aligned(sizeof(nlattr) + attribute_.payload.size());
  rest_ = rest_.subspan(std::min(step, rest_.size()));
  read();
  return *this;
}

std::optional<Bytes> Attributes::find(unsigned type) const {
  for (const Attribute& attribute : *this) {
    if (attribute.type == type) return attribute.payload;
  }
  return std::nullopt;
}

Attributes Attributes::nested(unsigned type) const {
  return Attributes{find(type).value_or(Bytes{})};
}
std::optional<std::uint8_t> Attributes::u8(unsigned type) const {
  return integer<std::uint8_t>(find(type));
}
std::optional<std::uint16_t> Attributes::u16(unsigned type) const {
  return integer<std::uint16_t>(find(type));
}
std::optional<std::uint32_t> Attributes::u32(unsigned type) const {
  return integer<std::uint32_t>(find(type));
}
std::optional<std::uint64_t> Attributes::u64(unsigned type) const {
  return integer<std::uint64_t>(find(type));
}
std::string Attributes::text(unsigned type) const { return text_of(find(type).value_or(Bytes{})); }

Attributes attributes_after(Bytes payload, std::size_t header_bytes) {
  const std::size_t start = aligned(header_bytes);
  return Attributes{payload.size() < start ? Bytes{} : payload.subspan(start)};
}

std::string text_of(Bytes bytes) {
  const auto end = std::ranges::find(bytes, std::byte{0});
  return {reinterpret_cast<const char*>(bytes.data()),
          static_cast<std::size_t>(end - bytes.begin())};
}

DatagramEnd walk_datagram(Bytes datagram, std::uint32_t sequence, const TakeMessage& take) {
  DatagramEnd end;
  while (!datagram.empty()) {
    const auto header = read_struct<nlmsghdr>(datagram);
    if (!header || header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > datagram.size()) {
      end.damaged = true;
      return end;
    }
    const Bytes payload = datagram.first(header->nlmsg_len).subspan(sizeof(nlmsghdr));
    datagram = datagram.subspan(std::min(aligned(header->nlmsg_len), datagram.size()));
    if (header->nlmsg_seq != sequence) continue;  // the late end of an answer given up
    end.interrupted = end.interrupted || (header->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
    if (header->nlmsg_type == NLMSG_ERROR || header->nlmsg_type == NLMSG_DONE) {
      end.finished = true;
      end.error = error_of(payload);
      return end;
    }
    if (header->nlmsg_type < NLMSG_MIN_TYPE) continue;  // NLMSG_NOOP and the like
    take({header->nlmsg_type, header->nlmsg_flags, payload});
  }
  return end;
}

Request::Request(std::uint16_t type, std::uint16_t flags) {
  const bool is_dump = (flags & NLM_F_DUMP) == NLM_F_DUMP;
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_flags =
      static_cast<std::uint16_t>(flags | NLM_F_REQUEST | (is_dump ? 0 : NLM_F_ACK));
  body(header);
}

Request& Request::append(Bytes bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  bytes_.resize(aligned(bytes_.size()));
  return *this;
}

Request& Request::attribute(unsigned type, Bytes payload) {
  body(nlattr{static_cast<std::uint16_t>(sizeof(nlattr) + payload.size()),
              static_cast<std::uint16_t>(type)});
  return append(payload);
}

Request& Request::attribute_u32(unsigned type, std::uint32_t value) {
  return attribute(type, std::as_bytes(std::span{&value, 1}));
}

Request& Request::attribute_text(unsigned type, std::string_view text) {
  const std::string ended{text};
  return attribute(type, std::as_bytes(std::span{ended.c_str(), ended.size() + 1}));
}

std::size_t Request::begin_nest(unsigned type) {
  const std::size_t place = bytes_.size();
  attribute(type | NLA_F_NESTED, {});
  return place;
}

void Request::end_nest(std::size_t place) {
  const auto length = static_cast<std::uint16_t>(bytes_.size() - place);
  std::memcpy(bytes_.data() + place, &length, sizeof length);
}

Bytes Request::finish(std::uint32_t sequence) {
  const auto length = static_cast<std::uint32_t>(bytes_.size());
  std::memcpy(bytes_.data() + offsetof(nlmsghdr, nlmsg_len), &length, sizeof length);
  std::memcpy(bytes_.data() + offsetof(nlmsghdr, nlmsg_seq), &sequence, sizeof sequence);
  return bytes_;
}

std::expected<Socket, int> Socket::open(int protocol) {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (fd < 0) return std::unexpected(errno);
  Socket opened{fd};
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience) != 0) {
    return std::unexpected(errno);
  }
  opened.buffer_.resize(kBufferBytes);
  return opened;
}

Socket::Socket(Socket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      sequence_(other.sequence_),
      buffer_(std::move(other.buffer_)) {}

Socket::~Socket() {
  if (fd_ >= 0) close(fd_);
}

void Socket::check_strictly() {
  const int on = 1;
  (void)setsockopt(fd_, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
}

int Socket::ask(Request& request, const TakeMessage& take) {
  const Bytes message = request.finish(++sequence_);
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (sendto(fd_, message.data(), message.size(), 0, reinterpret_cast<const sockaddr*>(&kernel),
             sizeof kernel) < 0) {
    return errno;
  }
  return receive(take);
}

int Socket::ask_together(std::span<Request> requests) {
  const std::uint32_t first = sequence_ + 1;
  std::vector<std::byte> all;
  for (Request& request : requests) {
    const Bytes message = request.finish(++sequence_);
    all.insert(all.end(), message.begin(), message.end());
  }
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (sendto(fd_, all.data(), all.size(), 0, reinterpret_cast<const sockaddr*>(&kernel),
             sizeof kernel) < 0) {
    return errno;
  }
  // Some kernels acknowledge the marks too; an error may name any message.
  for (std::uint32_t open = first + 1; open < sequence_;) {
    const std::expected<Bytes, int> datagram = receive_datagram();
    if (!datagram) return datagram.error();
    for (std::uint32_t each = first; each <= sequence_; ++each) {
      const DatagramEnd end = walk_datagram(*datagram, each, [](const Message&) {});
      if (end.damaged) return EBADMSG;
      if (end.finished && end.error != 0) return end.error;
      if (end.finished && each == open) ++open;
    }
  }
  return 0;
}

std::expected<Bytes, int> Socket::receive_datagram() {
  for (;;) {
    sockaddr_nl from{};
    socklen_t from_len = sizeof from;
    const ssize_t received = recvfrom(fd_, buffer_.data(), buffer_.size(), MSG_TRUNC,
                                      reinterpret_cast<sockaddr*>(&from), &from_len);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) return std::unexpected(errno == EAGAIN ? ETIMEDOUT : errno);
    if (from.nl_pid != 0) continue;  // only the kernel's word counts
    const auto size = static_cast<std::size_t>(received);
    if (size > buffer_.size()) return std::unexpected(EMSGSIZE);
    return Bytes{buffer_}.first(size);
  }
}

int Socket::receive(const TakeMessage& take) {
  bool interrupted = false;
  for (;;) {
    const std::expected<Bytes, int> datagram = receive_datagram();
    if (!datagram) return datagram.error();
    const DatagramEnd end = walk_datagram(*datagram, sequence_, take);
    interrupted = interrupted || end.interrupted;
    if (end.damaged) return EBADMSG;
    if (end.finished) return end.error != 0 ? end.error : interrupted ? EINTR : 0;
  }
}

}  // namespace slowpath::machine::netlink
