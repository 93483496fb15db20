// SPDX-License-Identifier: Apache-2.0
// What rules say about one host's settings and counters, and the answer made of all of it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "facts/catalogue.h"
#include "facts/figures.h"
#include "facts/finding.h"
#include "facts/severity.h"

namespace slowpath {

/// The path that a host's buffers are to serve; absent where nobody said.
struct PathAim {
  std::optional<double> rate_bps, rtt_s;
};

/// One item of proof, and where anybody can look it up.
struct HostEvidence {
  EvidenceKind kind = EvidenceKind::setting;  // setting, counter or test
  std::string text;                           // "net.ipv4.tcp_sack = 0"
  std::string origin = {};                    // "/proc/sys/net/ipv4/tcp_sack", "a.txt, line 7"
  Figures values = {};
};

/// One change with its reverse, filled in with this host's own names and values as far as they are
/// known. Commands of Linux are such as `slowpath fix apply` takes.
struct HostStep {
  Platform platform = Platform::any;
  std::string action, undo;  // neither is ever empty
  std::string source;        // the document that says so
  bool check_first = false;  // the exact command was not certain: read the source before
  /// The end that it is for ("sender", "gateway"), where the fault can be mended at several; empty:
  /// this host.
  std::string_view where = {};
};

/// What one rule says of one host, or of one of its interfaces.
struct HostFinding {
  std::string_view rule = {};   // "auto-tuning-off"; unique
  std::string_view fault = {};  // catalogue id
  /// fault: counters (or the catalogue's minimum) prove that it costs; suspect: a setting that can
  /// cost, or a counter that is not sure; note: worth knowing.
  Severity severity = Severity::suspect;
  std::string host = {};       // MachineFacts::name
  std::string interface = {};  // empty: the host as a whole
  std::string claim = {};      // one sentence with figures
  std::string value = {};      // as it is: "disabled"
  std::string expected = {};   // as it should be: "normal"
  std::string why = {};        // why that matters
  std::string cost = {};       // computed where it can be: "at most 17.5 Mbit/s at 30 ms"
  std::vector<HostEvidence> evidence = {};  // never empty
  std::vector<HostStep> steps = {};         // what to try first comes first; never empty
};

/// Whether a rule could be asked.
struct HostRuleState {
  std::string_view rule, fault;
  bool judged = false;
  std::string_view needs;  // what it takes: "ethtool -k"
};

/// The answer about one host.
struct Inspection {
  std::string verdict;  // the id of the worst fault; "healthy"; "unclear" (suspects, or nothing to
                        // judge by)
  std::string summary;  // one or two sentences
  std::vector<HostFinding> findings;  // the worst first
  std::vector<HostRuleState> rules;   // those of this host's platform, by fault and name
};

}  // namespace slowpath
