// SPDX-License-Identifier: Apache-2.0
// The header fields of an HTTP answer that say which file came and how it was carried. Fields of
// redirects and of interim answers are forgotten when the next answer begins.
#pragma once

#include <string_view>

#include "facts/fetch.h"

namespace slowpath::probe {

/// Takes one line of a header, its line end included or not. A status line begins a new answer.
void take_header_line(FetchedCopy& copy, std::string_view line);

/// Hexadecimal of what base64 stands for (RFC 4648 section 4); empty where it stands for nothing.
std::string hex_of_base64(std::string_view text);

}  // namespace slowpath::probe
