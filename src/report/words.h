// SPDX-License-Identifier: Apache-2.0
// The words that text and JSON share: enumerations as the contract spells them, and who is meant by
// a role of a remedy and in its commands.
#pragma once

#include <string>
#include <string_view>

#include "facts/case.h"
#include "facts/catalogue.h"
#include "facts/connection.h"
#include "facts/direction.h"
#include "facts/finding.h"
#include "report/layout.h"

namespace slowpath::report {

/// "to_server", "to_client".
std::string_view to_word(Direction direction);
/// "sender", "receiver", "midpath", "both", "unknown".
std::string_view to_word(Vantage vantage);
/// "frames", "setting", "counter", "test".
std::string_view to_word(EvidenceKind kind);
/// "open", "finished", "reset", "half-closed".
std::string_view to_word(CloseKind close);

/// How severe, at a glance.
Tone tone_of(Severity severity);

/// The first connection that a finding is about, or nullptr. Lives as long as the case.
const ConnectionFacts* connection_of(const Case& facts, const Finding& finding);

/// Who is meant: "10.0.0.1", "10.0.0.1 and 10.0.0.2"; empty where the packets do not tell.
std::string address_of(Role role, const Case& facts, const Finding& finding);

/// A step's command with what the packets tell in place of DST (who is asked from the place where
/// the step is done), SENDER, RECEIVER, SERVER and PORT; the words stay where they tell nothing.
std::string command_of(std::string_view text, Role where, const Case& facts,
                       const Finding& finding);

/// The finding that gave the verdict, or nullptr for healthy and unclear.
const Finding* finding_of_verdict(const Diagnosis& diagnosis);

}  // namespace slowpath::report
