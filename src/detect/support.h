// SPDX-License-Identifier: Apache-2.0
// What detectors share: walking the directions of a case, building findings and their evidence, and
// how far a witness is to be believed. Decides nothing; thresholds are in policy.h.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "detect/detector.h"
#include "facts/case.h"
#include "facts/finding.h"

namespace slowpath::detect {

/// One direction of one connection, with the case around it. Valid while the case lives.
struct Transfer {
  const Case& facts;
  const ConnectionFacts& connection;
  Direction direction;

  [[nodiscard]] const DirectionFacts& data() const { return connection[direction]; }
  /// The other direction's data.
  [[nodiscard]] const DirectionFacts& reverse() const { return connection[opposite(direction)]; }
  [[nodiscard]] const Endpoint& sender() const {
    return direction == Direction::to_server ? connection.client : connection.server;
  }
  [[nodiscard]] const Endpoint& receiver() const {
    return direction == Direction::to_server ? connection.server : connection.client;
  }
  /// The capture in which the connection began, or nullptr.
  [[nodiscard]] const CaptureFacts* capture() const;
};

/// The connection with this id, or nullptr. Quick however many there are: ids ascend.
const ConnectionFacts* find_connection(const Case& facts, std::uint32_t id);

/// Both directions of every connection, in order of ids.
std::vector<Transfer> all_transfers(const Case& facts);
/// Those that carried payload.
std::vector<Transfer> transfers_with_data(const Case& facts);

/// First packet to last.
double duration_s(const ConnectionFacts& connection);

/// From the first packet to the last data or its acknowledgement in either direction: what its user
/// waited for. Idle time before the close does not count. Without data, the whole duration.
double active_s(const ConnectionFacts& connection);

/// Seconds between two instants; negative when `end` is before `begin`.
double seconds_between(Time begin, Time end);

/// Which of the handshake's SYNs this transfer's receiver sent, and which its sender; or nullptr.
const SynFacts* syn_of_receiver(const Transfer& transfer);
const SynFacts* syn_of_sender(const Transfer& transfer);

/// The capture does not allow verdicts about checksums: cut, edited or anonymised files.
bool contents_were_rewritten(const Transfer& transfer);

/// `base` lowered by what is wrong with the witness: frames the capture lost, an unknown vantage,
/// jumps of its clock. Between 0.5 and 0.99.
double confidence_of(double base, const Transfer& transfer);

/// 0 at `threshold`, 1 at `certain`, linear between: how far beyond its threshold a figure is.
double how_far(double value, double threshold, double certain);

/// A finding about this transfer, with its connection and direction filled in.
Finding about(std::string_view fault, const Transfer& transfer);

/// The same about a connection, for both directions.
Finding about(std::string_view fault, const ConnectionFacts& connection);

/// Evidence that frames show. Frames "none" are left out.
Evidence shown_by(std::string text, const Exemplars& frames, Figures values = {});
Evidence shown_by(std::string text, std::initializer_list<FrameRef> frames, Figures values = {});

/// Where two copies of the same bytes differ first, with both frames.
Evidence shown_by(const PayloadDifference& difference);

/// "4, 5, 10 …" of the exemplars; empty without any.
std::string frame_list(const Exemplars& frames);

/// "tcp.stream eq 3 && REST"; without a rest only the first part.
std::string stream_filter(const ConnectionFacts& connection, std::string_view rest = {});

/// "tcpdump -ni DEV -s 128 -w FILE 'host A and host B and port P'".
std::string capture_command(const ConnectionFacts& connection, std::string_view file);
/// The same for what the handshake tells: "from the handshake on: tcpdump ...".
std::string capture_from_handshake(const ConnectionFacts& connection);

/// "ss -tin dst 10.0.0.2"; an IPv6 address in brackets, as ss reads it.
std::string socket_command(const IpAddress& peer, std::string_view options = "-tin");

/// "the sender (10.0.0.1:80)".
std::string name_sender(const Transfer& transfer);
std::string name_receiver(const Transfer& transfer);

/// Records why a detector passed over something, if anybody asked.
void silent(Findings& findings, std::string_view fault, const Transfer& transfer, std::string why);
void silent(Findings& findings, std::string_view fault, const ConnectionFacts& connection,
            std::string why);
void silent(Findings& findings, std::string_view fault, std::string why);

}  // namespace slowpath::detect
