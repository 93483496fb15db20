// SPDX-License-Identifier: Apache-2.0
// Whether a sender takes the receiver's window field as it stands, although a shift was agreed
// (RFC 7323 section 2.2). Then the window is wide, and the sender waits all the same.
#pragma once

#include "detect/support.h"

namespace slowpath::detect {

/// It keeps exactly to the field, and cuts its segments to it.
bool keeps_to_bare_field(const Transfer& transfer);

/// Likewise, where no SYN tells whether a shift was agreed: the window may be as small as that.
bool keeps_to_small_field(const Transfer& transfer);

}  // namespace slowpath::detect
