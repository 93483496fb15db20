// SPDX-License-Identifier: Apache-2.0
// What a client asks of a server for one transfer, seen from the client: the plan that both ends
// follow. Streams 0 to N-1 carry data to the server, where it asks for that; the next ones (or the
// same numbers, where it does not) carry data to the client.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "probe/file_content.h"
#include "probe/message.h"
#include "probe/pattern.h"
#include "probe/served_session.h"
#include "probe/socket.h"
#include "probe/transfer.h"

namespace slowpath::probe {

enum class TransferWay : std::uint8_t { to_server, to_client, both };
std::string_view to_string(TransferWay way);

struct TransferRequest {
  TransferWay way = TransferWay::to_server;
  std::uint32_t streams = 1;  // each way
  TransferPlan plan;          // as either sender follows it
  ContentKind content = ContentKind::random;
  std::uint64_t key = 0;
  SharedBytes bytes = {};  // of content "file"; both ends hold them
  bool verify = true;
  bool zero_copy = false;  // content repeats every period_bytes()
  SocketOptions socket;

  static constexpr std::uint64_t kZeroCopyPeriod = std::uint64_t{64} << 20U;

  [[nodiscard]] bool to_server() const { return way != TransferWay::to_client; }
  [[nodiscard]] bool to_client() const { return way != TransferWay::to_server; }
  [[nodiscard]] std::uint32_t connections() const {
    return way == TransferWay::both ? 2 * streams : streams;
  }
  /// Of what is sent without copying: kZeroCopyPeriod, of a file its own length.
  [[nodiscard]] std::uint64_t period_bytes() const {
    return bytes ? bytes->size() : kZeroCopyPeriod;
  }
  /// What stream `number` carries: each its own, so that a segment of another stream
  /// is found; a file is the same in all.
  [[nodiscard]] Content content_of(std::uint32_t number) const;
};

Json to_json(const TransferRequest& request);
/// Every field in its range, and within the server's limits; the error says which is not. `held`:
/// what the client gave before, for content "file"; nullptr = nothing.
Result<TransferRequest> parse_transfer_request(const Json& message, const ServerLimits& limits,
                                               const SharedBytes& held = {});

}  // namespace slowpath::probe
