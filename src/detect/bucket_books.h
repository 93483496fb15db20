// SPDX-License-Identifier: Apache-2.0
// The books of a token bucket: whether it was empty for what was lost, and had room for what
// passed, more closely than chance would have it. Seen behind the limit the books are blurred.
#pragma once

#include <string>
#include <vector>

#include "detect/policing.h"

namespace slowpath::detect {

/// Why the losses keep no books of the bucket that fits them best. Empty if they do.
std::string why_no_bucket(const Policing& judged);

/// Seen behind the limit, the books come out as well as they can there.
bool may_be_a_bucket(const Policing& judged);

/// Enough losses were seen to say that no limit of rate, by bucket or by queue, chose them: they
/// found room about as often as chance would have it.
bool losses_ignore_rate(const Policing& judged);

/// Seen away from the sender: what was lost never passed the tap.
bool is_behind_the_limit(const std::vector<Transfer>& transfers);

}  // namespace slowpath::detect
