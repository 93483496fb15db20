// SPDX-License-Identifier: Apache-2.0
// A knob for one option of the qdisc that somebody put at the root of an interface, changed in
// place as by tc qdisc change; all its other options stay. The value is the kind and the number:
// "pfifo 1000", "fq 100000000bit", "fq none" (qdisc_options.h). The kernel's own qdisc cannot be
// changed in place, and is replaced instead (qdisc_knob.h).
#pragma once

#include <string>

#include "base/result.h"
#include "fix/knob.h"

namespace slowpath::fix {

/// Errors: environment; usage where the qdisc there has no such option.
Result<std::string> read_qdisc_option_knob(const Knob& knob);
/// Errors: as read_qdisc_option_knob(); usage where the value is of another kind, or none.
Result<void> write_qdisc_option_knob(const Knob& knob, const std::string& value);

}  // namespace slowpath::fix
