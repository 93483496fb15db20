// SPDX-License-Identifier: Apache-2.0
// Attempts to set up connections, seen together: which failed, to whom, and what worked at the same
// moment. What the detectors of full tables, used-up ports and dropped SYNs compare.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "detect/support.h"

namespace slowpath::detect {

enum class AttemptOutcome {
  set_up,      // at its first SYN, or so far as can be seen
  late,        // after unanswered SYNs
  unanswered,  // no SYN-ACK came
  refused,     // RST or ICMP
  undecided,   // one SYN, and the capture ended before its second was due
};

struct Attempt {
  const ConnectionFacts* connection = nullptr;
  Time at{};  // first SYN
  AttemptOutcome outcome = AttemptOutcome::undecided;
  std::uint32_t unanswered_syns = 0;
  double waited_s = 0;  // for the answer, or in vain

  [[nodiscard]] bool failed() const {
    return outcome == AttemptOutcome::late || outcome == AttemptOutcome::unanswered;
  }
};

/// All attempts whose SYN was captured, in time order.
std::vector<Attempt> attempts_of(const Case& facts);

/// Attempts of one client host to one server endpoint.
struct AttemptGroup {
  IpAddress client;
  Endpoint server;
  std::vector<Attempt> attempts;  // in time order

  [[nodiscard]] std::vector<const Attempt*> failed() const;
  /// Of these, those whose four-tuple was not in use before: TIME_WAIT is no cause of theirs.
  [[nodiscard]] std::vector<const Attempt*> failed_first_uses() const;
  [[nodiscard]] std::size_t set_up() const;
};
std::vector<AttemptGroup> group_attempts(const std::vector<Attempt>& attempts);

/// The connection was set up before `at` and had not ended: its state was held somewhere.
bool was_open_at(const Attempt& attempt, Time at);

/// Which servers' handshakes the capture shows from their own end: their answers leave at once.
/// Looks at the attempts once, however many servers are asked about.
class ServersSeen {
 public:
  explicit ServersSeen(const std::vector<Attempt>& attempts);
  [[nodiscard]] bool is_captured_at(const Endpoint& server) const;

 private:
  struct Answers {
    std::size_t known = 0, at_server = 0;  // by the legs of the handshake
  };
  std::map<Endpoint, Answers> answers_;  // of servers with known legs
};

/// Their SYNs as evidence, and their ids.
Exemplars syns_of(const std::vector<const Attempt*>& attempts);
std::vector<std::uint32_t> ids_of(const std::vector<const Attempt*>& attempts);
/// "ip.src == 10.0.0.1", or of IPv6.
std::string source_filter(const IpAddress& address);
/// Seconds in which at least one of them waited.
double waited_together_s(const std::vector<const Attempt*>& attempts);

}  // namespace slowpath::detect
