// SPDX-License-Identifier: Apache-2.0
// Netlink as far as this room needs it (RFC 3549; Documentation/userspace-api/netlink/intro.rst of
// Linux): building a request, asking the kernel, and walking messages and attributes whose lengths
// may lie. What messages mean is left to those who ask.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace slowpath::machine::netlink {

/// One attribute (struct nlattr): flags cut from its type, payload without padding. Valid as long
/// as the bytes it was found in.
struct Attribute {
  std::uint16_t type = 0;
  Bytes payload;
};

/// The attributes in `bytes`, in order. The walk ends at the first one whose length is shorter than
/// its header or longer than what is left.
class Attributes {
 public:
  class Iterator {
   public:
    explicit Iterator(Bytes rest) : rest_(rest) { read(); }
    const Attribute& operator*() const { return attribute_; }
    const Attribute* operator->() const { return &attribute_; }
    Iterator& operator++();
    friend bool operator==(const Iterator& a, const Iterator& b) {
      return a.rest_.size() == b.rest_.size();
    }

   private:
    void read();
    Bytes rest_;  // from the current attribute on; empty at the end
    Attribute attribute_;
  };

  explicit Attributes(Bytes bytes) : bytes_(bytes) {}
  [[nodiscard]] Iterator begin() const { return Iterator{bytes_}; }
  [[nodiscard]] Iterator end() const { return Iterator{bytes_.last(0)}; }
  /// The payload of the first attribute of that type.
  [[nodiscard]] std::optional<Bytes> find(unsigned type) const;
  /// The attributes in it; none where there is no such attribute.
  [[nodiscard]] Attributes nested(unsigned type) const;
  /// An integer of the host's byte order; none where it is absent or has another size.
  [[nodiscard]] std::optional<std::uint8_t> u8(unsigned type) const;
  [[nodiscard]] std::optional<std::uint16_t> u16(unsigned type) const;
  [[nodiscard]] std::optional<std::uint32_t> u32(unsigned type) const;
  [[nodiscard]] std::optional<std::uint64_t> u64(unsigned type) const;
  /// Up to the first zero byte; empty where it is absent.
  [[nodiscard]] std::string text(unsigned type) const;

 private:
  Bytes bytes_;
};

/// The attributes behind a fixed header of `header_bytes`; none if the payload is shorter.
Attributes attributes_after(Bytes payload, std::size_t header_bytes);
/// Reads a plain struct from the front of the bytes; none if they are fewer.
template <typename T>
std::optional<T> read_struct(Bytes bytes) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (bytes.size() < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}
/// Text that ends at the first zero byte or with the bytes.
std::string text_of(Bytes bytes);

/// One message (struct nlmsghdr) of an answer, without its header.
struct Message {
  std::uint16_t type = 0, flags = 0;
  Bytes payload;
};
using TakeMessage = std::function<void(const Message&)>;

/// What one datagram from the kernel meant for an answer that is being read.
struct DatagramEnd {
  bool finished = false;     // the last message of the answer was seen
  int error = 0;             // errno of the answer, if finished
  bool interrupted = false;  // what is listed changed meanwhile: the list may be inconsistent
  bool damaged = false;      // a length lied; what came before it was taken
};
/// Hands every message of the answer to request `sequence` to `take`.
DatagramEnd walk_datagram(Bytes datagram, std::uint32_t sequence, const TakeMessage& take);

/// A request under construction.
class Request {
 public:
  /// `flags` without NLM_F_REQUEST. Whoever asks for no dump gets an acknowledgement.
  Request(std::uint16_t type, std::uint16_t flags);

  /// Appends a plain struct: the family's own header.
  template <typename T>
  Request& body(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    return append(std::as_bytes(std::span{&value, 1}));
  }
  Request& attribute(unsigned type, Bytes payload);
  Request& attribute_u32(unsigned type, std::uint32_t value);
  Request& attribute_text(unsigned type, std::string_view text);  // with its zero byte
  /// What is appended until `end_nest` of the returned place is nested in this attribute.
  std::size_t begin_nest(unsigned type);
  void end_nest(std::size_t place);
  /// The message with its length and that sequence number filled in; valid until the next call.
  Bytes finish(std::uint32_t sequence);

 private:
  Request& append(Bytes bytes);
  std::vector<std::byte> bytes_;
};

/// A netlink socket of one protocol, in the network namespace of the thread that opened it.
class Socket {
 public:
  /// The error is an errno.
  static std::expected<Socket, int> open(int protocol);
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&&) = delete;
  ~Socket();

  /// Makes the kernel check the headers of dump requests and filter by them; older ones do not
  /// know.
  void check_strictly();
  /// Asks, and hands every message of the answer to `take`. Returns 0 or the errno: the kernel's
  /// answer, EINTR if a list changed while it was read, EBADMSG where lengths lied, ETIMEDOUT after
  /// five seconds of silence.
  int ask(Request& request, const TakeMessage& take);
  /// Sends all in one datagram, as a batch of nfnetlink: the first and the last are its marks, and
  /// the kernel does what is between them wholly or not at all. Returns 0 or the first errno.
  int ask_together(std::span<Request> requests);

 private:
  explicit Socket(int fd) : fd_(fd) {}
  int receive(const TakeMessage& take);
  /// One datagram of the kernel's; 0 bytes never come. The error is an errno.
  std::expected<Bytes, int> receive_datagram();

  int fd_;
  std::uint32_t sequence_ = 0;
  std::vector<std::byte> buffer_;
};

/// A whole list: `parse` makes an item of each message, or none. Read again, up to three times, if
/// it changed while it was read; the last reading counts then.
template <typename Parse>
auto read_list(Socket& socket, Request& request, const Parse& parse)
    -> std::expected<std::vector<typename decltype(parse(Message{}))::value_type>, int> {
  std::vector<typename decltype(parse(Message{}))::value_type> items;
  int error = EINTR;
  for (int attempt = 0; attempt < 3 && error == EINTR; ++attempt) {
    items.clear();
    error = socket.ask(request, [&](const Message& message) {
      if (auto item = parse(message)) items.push_back(*std::move(item));
    });
  }
  if (error != 0 && error != EINTR) return std::unexpected(error);
  return items;
}

}  // namespace slowpath::machine::netlink
