// SPDX-License-Identifier: Apache-2.0
// What the two ends of a path test say to each other over the control connection, as JSON of the
// control protocol (message.h): the facts that one end measured, for the other.
#pragma once

#include "facts/path_test.h"
#include "probe/message.h"
#include "probe/path/datagram_port.h"

namespace slowpath::probe {

/// A far end waits no longer within one answer.
inline constexpr Duration kMostPathWait = std::chrono::seconds(2);

// Bounds of what one request may ask of the far end.
inline constexpr std::uint64_t kMostDatagramsAsked = 200'000;
inline constexpr double kMostDatagramRate_bps = 1e9;
inline constexpr std::uint32_t kMostSizesAsked = 64;
inline constexpr std::uint64_t kMostLoadMilliseconds = 10'000;

Json to_json(const TallyResult& tally);
TallyResult tally_from(const Json& message);

Json to_json(const SegmentTest& test);
SegmentTest segments_from(const Json& message);

/// A run of datagrams that the far end is to send.
Json to_json(const DatagramPlan& plan);
/// Within the bounds above, or why not.
Result<DatagramPlan> plan_from(const Json& message);

Json to_json(const DatagramSent& sent);
DatagramSent sent_from(const Json& message);

/// Errors about datagrams with this token: {"sequence", "mtu_bytes", "from", "local"}.
Json to_json(const std::vector<SocketError>& errors, std::uint64_t token);

}  // namespace slowpath::probe
