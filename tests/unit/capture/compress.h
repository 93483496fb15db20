// SPDX-License-Identifier: Apache-2.0
// Compresses with the libraries' own one-call functions, for tests of the reading side.
#pragma once

#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <string>

#include "unit/capture/capture_files.h"

namespace slowpath::capture::testing {

inline Buffer compress(const std::string& how, Bytes in) {
  const auto* const from = reinterpret_cast<const std::uint8_t*>(in.data());
  Buffer out(in.size() + in.size() / 8 + 4096);
  auto* const to = reinterpret_cast<std::uint8_t*>(out.data());
  std::size_t len = 0;
  if (how == "gzip") {
    z_stream stream{};
    constexpr int kGzip = 15 + 16;
    deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY);
    stream.next_in = const_cast<Bytef*>(from);
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = to;
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    len = stream.total_out;
    deflateEnd(&stream);
  } else if (how == "zstd") {
    len = ZSTD_compress(out.data(), out.size(), in.data(), in.size(), 3);
  } else if (how == "lz4") {
    LZ4F_preferences_t preferences{};
    preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
    len = LZ4F_compressFrame(out.data(), out.size(), in.data(), in.size(), &preferences);
  } else if (how == "xz") {
    lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, nullptr, from, in.size(), to, &len, out.size());
  } else {
    return Buffer(in.begin(), in.end());
  }
  out.resize(len);
  return out;
}

}  // namespace slowpath::capture::testing
