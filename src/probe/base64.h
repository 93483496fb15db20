// SPDX-License-Identifier: Apache-2.0
// Base64 (RFC 4648 section 4, with padding and without line breaks), by libcrypto.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace slowpath::probe {

std::string to_base64(Bytes bytes);
/// Nothing for what is no base64.
std::optional<std::vector<std::byte>> from_base64(std::string_view text);

}  // namespace slowpath::probe
