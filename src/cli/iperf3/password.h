// SPDX-License-Identifier: Apache-2.0
// The password of a user who tests with a server that asks for one.
#pragma once

#include <string>

#include "base/result.h"

namespace slowpath::cli::iperf3 {

/// From $IPERF3_PASSWORD, as with iperf3, else asked for on the terminal without showing it. Kind
/// usage where there is neither.
Result<std::string> find_password(const std::string& user);

}  // namespace slowpath::cli::iperf3
