// SPDX-License-Identifier: Apache-2.0
// Reads pcapng files (draft-ietf-opsawg-pcapng): any number of sections, each in its own byte
// order, with any number of interfaces, each with its own link type, time resolution and time
// offset.
//
// A block is: type, length, body padded to 4 bytes, length again. The repeated length is what
// damage is recognised by and what the search for the next sound block relies on.
#pragma once

#include <memory>

#include "base/result.h"
#include "capture/byte_window.h"
#include "capture/source.h"

namespace slowpath::capture {

/// True when the first four bytes are the type of a section header block.
bool is_pcapng(Bytes head);

/// Takes over a window at the beginning of a pcapng file and the SourceInfo filled so far.
/// Error: the first section header is cut or damaged, or of a version that is not read here.
Result<std::unique_ptr<Source>> open_pcapng(std::unique_ptr<ByteWindow> window, SourceInfo info,
                                            std::uint16_t input);

}  // namespace slowpath::capture
