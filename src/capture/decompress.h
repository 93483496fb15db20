// SPDX-License-Identifier: Apache-2.0
// Decompression of a capture while it is read: gzip, zstd, lz4 frames and xz, each possibly several
// in a row. Recognised by content, never by name. Memory is fixed by the format, not by a header.
#pragma once

#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "capture/byte_supply.h"

namespace slowpath::capture {

enum class Compression : std::uint8_t { none, gzip, zstd, lz4, xz };

/// As in SourceInfo::compression: "" for none.
std::string_view compression_name(Compression compression);

/// What the first bytes say; `none` when they are too few or of no compression read here.
Compression recognise_compression(Bytes head);

/// Decompresses `stored`; `compression` is not `none`.
std::unique_ptr<ByteSupply> make_decompressor(Compression compression,
                                              std::unique_ptr<StoredBytes> stored);

}  // namespace slowpath::capture
