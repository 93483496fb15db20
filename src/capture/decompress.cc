// SPDX-License-Identifier: Apache-2.0
#include "capture/decompress.h"

#include <isa-l/igzip_lib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/assert.h"

namespace slowpath::capture {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"", "gzip", "zstd", "lz4", "xz"};

// RFC 8878 section 3.1.2; lz4 frames use the same numbers for what a reader passes over.
bool is_skippable_frame(std::uint32_t magic) { return (magic & 0xfffffff0u) == 0x184d2a50u; }

// One step of a decoder.
struct Step {
  std::size_t consumed = 0;
  std::size_t produced = 0;
  bool at_boundary = false;  // a member ended; the input may end here
  std::string error = {};
};

// The loop that all formats share: feed stored bytes, hand out what comes of them, tell an input
// that ends inside a member from one that ends between two.
class Decompressor : public ByteSupply {
 public:
  explicit Decompressor(std::unique_ptr<StoredBytes> stored) : stored_(std::move(stored)) {}

  std::size_t read(std::span<std::byte> out) final {
    while (!ended_) {
      const Bytes in = stored_->peek();
      if (in.empty()) return finish(out);
      if (at_boundary_ && !begins_member(in)) return end_with_rest();
      Step step = decode(in, out);
      stored_->consume(step.consumed);
      if (!step.error.empty()) return end_with_error(std::move(step.error), step.produced);
      if (step.consumed + step.produced != 0) at_boundary_ = step.at_boundary;
      if (step.produced != 0) return step.produced;
      if (step.consumed == 0 && !step.at_boundary) return end_with_error("no progress", 0);
    }
    return 0;
  }
  [[nodiscard]] std::string problem() const final { return problem_; }
  [[nodiscard]] std::uint64_t position() const final { return stored_->position(); }

 protected:
  // `in` is not empty and `out` has room.
  virtual Step decode(Bytes in, std::span<std::byte> out) = 0;
  // Between two members: do these bytes begin another?
  virtual bool begins_member(Bytes) { return true; }
  [[nodiscard]] virtual std::string_view name() const = 0;

 private:
  // Output may still lie in the decoder after the last input byte.
  std::size_t finish(std::span<std::byte> out) {
    if (!at_boundary_) {
      Step step = decode({}, out);
      at_boundary_ = step.at_boundary;
      if (step.produced != 0) return step.produced;
    }
    ended_ = true;
    problem_ = stored_->problem();
    if (problem_.empty() && !at_boundary_) {
      problem_ = fmt::format("the {} data ends early, after {} stored bytes", name(), position());
    }
    return 0;
  }
  std::size_t end_with_error(std::string error, std::size_t produced) {
    ended_ = true;
    problem_ =
        fmt::format("the {} data is damaged ({}) at stored byte {}", name(), error, position());
    if (const std::string why = stored_->problem(); !why.empty()) problem_ += "; " + why;
    return produced;
  }
  // Zeros after the last member are a tape's or a block device's padding (gzip(1) says the same).
  std::size_t end_with_rest() {
    const std::uint64_t from = position();
    bool only_zeros = true;
    for (Bytes rest = stored_->peek(); !rest.empty(); rest = stored_->peek()) {
      only_zeros =
          only_zeros && std::ranges::all_of(rest, [](std::byte b) { return b == std::byte{0}; });
      stored_->consume(rest.size());
    }
    ended_ = true;
    if (!only_zeros) {
      problem_ = fmt::format("{} bytes that are not {} follow stored byte {}", position() - from,
                             name(), from);
    }
    return 0;
  }

  std::unique_ptr<StoredBytes> stored_;
  bool at_boundary_ = false;
  bool ended_ = false;
  std::string problem_;
};

std::uint32_t clamp_u32(std::size_t len) {
  return static_cast<std::uint32_t>(
      std::min<std::size_t>(len, std::numeric_limits<std::uint32_t>::max()));
}

// ISA-L is 1.7 times as fast as zlib on captures of headers (docs/dependencies.md).
class GzipDecompressor final : public Decompressor {
 public:
  explicit GzipDecompressor(std::unique_ptr<StoredBytes> stored) : Decompressor(std::move(stored)) {
    begin();
  }

 private:
  void begin() {
    isal_inflate_init(&state_);
    state_.crc_flag = ISAL_GZIP;
  }
  Step decode(Bytes in, std::span<std::byte> out) override {
    state_.next_in = const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(in.data()));
    state_.avail_in = clamp_u32(in.size());
    state_.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    state_.avail_out = clamp_u32(out.size());
    const std::uint32_t offered = state_.avail_in;
    const std::uint32_t room = state_.avail_out;
    const int result = isal_inflate(&state_);
    Step step{.consumed = offered - state_.avail_in, .produced = room - state_.avail_out};
    if (result < 0) step.error = result == ISAL_INCORRECT_CHECKSUM ? "checksum" : "bad code";
    if (state_.block_state == ISAL_BLOCK_FINISH) {
      step.at_boundary = true;
      begin();
    }
    return step;
  }
  bool begins_member(Bytes in) override { return load_u8(in.data()) == 0x1f; }
  [[nodiscard]] std::string_view name() const override { return "gzip"; }

  inflate_state state_{};
};

class ZstdDecompressor final : public Decompressor {
 public:
  explicit ZstdDecompressor(std::unique_ptr<StoredBytes> stored)
      : Decompressor(std::move(stored)), stream_(ZSTD_createDStream()) {
    SLOWPATH_ASSERT(stream_ != nullptr);
  }
  ZstdDecompressor(const ZstdDecompressor&) = delete;
  ZstdDecompressor& operator=(const ZstdDecompressor&) = delete;
  ~ZstdDecompressor() override { ZSTD_freeDStream(stream_); }

 private:
  // The library refuses windows above 128 MiB by itself (ZSTD_WINDOWLOG_LIMIT_DEFAULT).
  Step decode(Bytes in, std::span<std::byte> out) override {
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    const std::size_t result = ZSTD_decompressStream(stream_, &to, &from);
    Step step{.consumed = from.pos, .produced = to.pos, .at_boundary = result == 0};
    if (ZSTD_isError(result) != 0) step.error = ZSTD_getErrorName(result);
    return step;
  }
  bool begins_member(Bytes in) override {
    const std::uint8_t first = load_u8(in.data());
    return first == 0x28 || (first & 0xf0) == 0x50;
  }
  [[nodiscard]] std::string_view name() const override { return "zstd"; }

  ZSTD_DStream* stream_;
};

class Lz4Decompressor final : public Decompressor {
 public:
  explicit Lz4Decompressor(std::unique_ptr<StoredBytes> stored) : Decompressor(std::move(stored)) {
    SLOWPATH_ASSERT(LZ4F_isError(LZ4F_createDecompressionContext(&context_, LZ4F_VERSION)) == 0);
  }
  Lz4Decompressor(const Lz4Decompressor&) = delete;
  Lz4Decompressor& operator=(const Lz4Decompressor&) = delete;
  ~Lz4Decompressor() override { LZ4F_freeDecompressionContext(context_); }

 private:
  Step decode(Bytes in, std::span<std::byte> out) override {
    std::size_t produced = out.size();
    std::size_t consumed = std::min(in.size(), wanted_);
    const std::size_t result =
        LZ4F_decompress(context_, out.data(), &produced, in.data(), &consumed, nullptr);
    if (LZ4F_isError(result) != 0) return {.error = LZ4F_getErrorName(result)};
    wanted_ = result == 0 ? kMagicLen : result;
    return {.consumed = consumed, .produced = produced, .at_boundary = result == 0};
  }
  bool begins_member(Bytes in) override {
    const std::uint8_t first = load_u8(in.data());
    return first == 0x04 || (first & 0xf0) == 0x50;
  }
  [[nodiscard]] std::string_view name() const override { return "lz4"; }
  // The largest block: one that finds less room is decoded elsewhere first, and copied.
  [[nodiscard]] std::size_t good_read_len() const override { return std::size_t{4} << 20; }

  static constexpr std::size_t kMagicLen = 4;

  LZ4F_dctx* context_ = nullptr;
  // What the library asks for: to the end of a block. Given more it goes on to one that has no
  // room.
  std::size_t wanted_ = kMagicLen;
};

class XzDecompressor final : public Decompressor {
 public:
  explicit XzDecompressor(std::unique_ptr<StoredBytes> stored) : Decompressor(std::move(stored)) {
    begin();
  }
  XzDecompressor(const XzDecompressor&) = delete;
  XzDecompressor& operator=(const XzDecompressor&) = delete;
  ~XzDecompressor() override { lzma_end(&stream_); }

 private:
  // `xz -9` needs 65 MiB to decompress (xz(1)); more would be a claim nobody makes in earnest.
  static constexpr std::uint64_t kMemoryLimit = 128u << 20;

  void begin() { SLOWPATH_ASSERT(lzma_stream_decoder(&stream_, kMemoryLimit, 0) == LZMA_OK); }
  Step decode(Bytes in, std::span<std::byte> out) override {
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(in.data());
    stream_.avail_in = in.size();
    stream_.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    stream_.avail_out = out.size();
    const lzma_ret result = lzma_code(&stream_, LZMA_RUN);
    Step step{.consumed = in.size() - stream_.avail_in, .produced = out.size() - stream_.avail_out};
    if (result == LZMA_STREAM_END) {
      step.at_boundary = true;
      begin();
    } else if (result == LZMA_MEMLIMIT_ERROR) {
      step.error = "needs more than 128 MiB to decompress; use xz -d first";
    } else if (result != LZMA_OK && result != LZMA_BUF_ERROR) {
      step.error = "bad block or checksum";
    }
    return step;
  }
  bool begins_member(Bytes in) override { return load_u8(in.data()) == 0xfd; }
  [[nodiscard]] std::string_view name() const override { return "xz"; }

  lzma_stream stream_ = LZMA_STREAM_INIT;
};

}  // namespace

std::string_view compression_name(Compression compression) {
  return kNames[static_cast<std::size_t>(compression)];
}

Compression recognise_compression(Bytes head) {
  // Step over skippable frames (pzstd begins with one) to the first that says what it is.
  for (int i = 0; i < 4 && head.size() >= 8 && is_skippable_frame(load_le32(head.data())); ++i) {
    const std::uint64_t len = 8 + std::uint64_t{load_le32(head.data() + 4)};
    if (len > head.size()) return Compression::none;
    head = head.subspan(static_cast<std::size_t>(len));
  }
  if (head.size() < 6) return Compression::none;
  const std::uint32_t magic = load_le32(head.data());
  if ((magic & 0xffffffu) == 0x088b1fu) return Compression::gzip;  // RFC 1952: deflate, method 8
  if (magic == 0xfd2fb528u) return Compression::zstd;              // RFC 8878 section 3.1.1
  if (magic == 0x184d2204u) return Compression::lz4;               // lz4 frame format
  if (magic == 0x587a37fdu && load_le16(head.data() + 4) == 0x005au) return Compression::xz;
  return Compression::none;
}

std::unique_ptr<ByteSupply> make_decompressor(Compression compression,
                                              std::unique_ptr<StoredBytes> stored) {
  switch (compression) {
    case Compression::gzip:
      return std::make_unique<GzipDecompressor>(std::move(stored));
    case Compression::zstd:
      return std::make_unique<ZstdDecompressor>(std::move(stored));
    case Compression::lz4:
      return std::make_unique<Lz4Decompressor>(std::move(stored));
    case Compression::xz:
      return std::make_unique<XzDecompressor>(std::move(stored));
    case Compression::none:
      break;
  }
  SLOWPATH_ASSERT(false);
}

}  // namespace slowpath::capture
