// SPDX-License-Identifier: Apache-2.0
// A knob for the queueing discipline at the root of an interface, by rtnetlink(7): only what can be
// put back exactly. The value is "default KIND" for what the kernel itself put there, with the
// kinds below it ("default mq fq_codel"), "fq", "fq maxrate 100000000bit" or "fq_codel limit 1000"
// for one that is made here (options that differ from a new one's, as in qdisc_options.h), and
// "other KIND" for one that somebody else made or changed, which is left alone.
//
// What is made here has a handle of its own (kQdiscHandle), by which it is known again; its other
// options are those of a new one, or it is somebody else's by now.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "fix/knob.h"

namespace slowpath::fix {

/// "510f:" in tc(8)'s words: no other is likely to take it.
inline constexpr std::uint32_t kQdiscHandle = 0x510F0000;

/// Whether a kind can be made here.
bool is_one_of_ours(std::string_view kind);
/// What KIND and options, as tc(8) has them, come to as a value. Errors: usage.
Result<std::string> qdisc_value_of(std::span<const std::string> words);
bool is_default_qdisc(std::string_view value);
/// What sets it at start, by tc(8).
std::string qdisc_command(std::string_view interface, std::string_view value);

/// Errors: environment.
Result<std::string> read_qdisc(const Knob& knob);
/// Errors: as read_qdisc(); usage where the qdisc there is not one that can be put back, or the
/// value is none to make.
Result<void> write_qdisc(const Knob& knob, const std::string& value);

}  // namespace slowpath::fix
