// SPDX-License-Identifier: Apache-2.0
// Reads the files of Solaris snoop (RFC 1761), version 2.
//
// File header (16 bytes, network order): "snoop\0\0\0", version, link type (a DLPI MAC type).
// Records have 24 bytes of header: original length, included length, record length with padding,
// cumulative drops, seconds, microseconds.
#pragma once

#include <memory>

#include "base/result.h"
#include "capture/byte_window.h"
#include "capture/source.h"

namespace slowpath::capture {

/// True when the first eight bytes are snoop's.
bool is_snoop(Bytes head);

/// Takes over a window at the beginning of a snoop file and the SourceInfo filled so far.
/// Error: the header is cut, or of a version that is not read here.
Result<std::unique_ptr<Source>> open_snoop(std::unique_ptr<ByteWindow> window, SourceInfo info,
                                           std::uint16_t input);

}  // namespace slowpath::capture
