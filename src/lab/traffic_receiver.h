// SPDX-License-Identifier: Apache-2.0
// An application that receives a stream and knows every byte that it should get.
#pragma once

#include <string>
#include <vector>

#include "lab/pattern.h"
#include "lab/traffic_control.h"
#include "lab/traffic_message.h"

namespace slowpath::lab {

/// Reads, compares and keeps what came, so that it can be hashed afterwards: hashing while reading
/// would slow a fast transfer. Streams of more than kHashed bytes are compared, not hashed.
class StreamReceiver {
 public:
  static constexpr std::uint64_t kHashed = 64U << 20U;

  StreamReceiver(const TransferEnd& end, int direction);
  ~StreamReceiver();
  StreamReceiver(const StreamReceiver&) = delete;
  StreamReceiver& operator=(const StreamReceiver&) = delete;

  /// Reads until the peer has finished, the limit comes or the connection breaks.
  void run(int socket);
  /// Reads exactly so many bytes: a request or a response. False if they did not come.
  bool read_exactly(int socket, std::uint64_t length);

  /// The peer sent its FIN.
  [[nodiscard]] bool saw_end() const { return saw_end_; }
  /// It has all that its plan's abort_after asks for, and wants no more.
  [[nodiscard]] bool has_enough() const {
    return end_.plan.receiver.abort_after > 0 && bytes_ >= end_.plan.receiver.abort_after;
  }
  /// "read: Connection reset by peer"; empty if none.
  [[nodiscard]] const std::string& error() const { return error_; }
  /// After all was read. `wanted`: bytes asked for, 0: any number; `ended_ns`: when reading ended.
  [[nodiscard]] ReceiverReport report(std::uint64_t wanted, std::int64_t ended_ns) const;

 private:
  /// One read of at most `most` bytes. False when nothing more will come.
  bool read_some(int socket, std::uint64_t most);
  void pace();

  const TransferEnd& end_;
  Pattern pattern_;
  PatternCheck check_{pattern_};
  std::byte* kept_ = nullptr;  // kHashed bytes of address space, used as far as bytes came
  std::vector<std::byte> buffer_;
  std::uint64_t bytes_ = 0;
  std::int64_t paced_from_ns_ = 0, last_byte_ns_ = 0;
  bool stalled_ = false, saw_end_ = false;
  std::string error_;
};

}  // namespace slowpath::lab
