// SPDX-License-Identifier: Apache-2.0
// Reads pcap files: microseconds and nanoseconds, both byte orders, and Kuznetzov's "modified"
// format.
//
// File header (24 bytes, byte order told by the magic): magic, version major and minor, time zone,
// accuracy (both unused), snap length, link type with the length of a frame check sequence above it
// (draft-ietf-opsawg-pcap). Then records of 16 bytes of header: seconds, fraction, captured length,
// original length; the modified format has 8 or 12 bytes more (interface, protocol, packet type).
#pragma once

#include <memory>

#include "base/result.h"
#include "capture/byte_window.h"
#include "capture/source.h"

namespace slowpath::capture {

/// True when the first four bytes are a pcap magic.
bool is_pcap(Bytes head);

/// Takes over a window at the beginning of a pcap file and the SourceInfo filled so far.
/// Error: the header is cut, or of a version that is not read here.
Result<std::unique_ptr<Source>> open_pcap(std::unique_ptr<ByteWindow> window, SourceInfo info,
                                          std::uint16_t input);

}  // namespace slowpath::capture
