// SPDX-License-Identifier: Apache-2.0
// Opens a capture: file, standard input or memory; decompression and format by content.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "capture/byte_window.h"
#include "capture/decompress.h"
#include "capture/file_mapping.h"
#include "capture/file_source.h"
#include "capture/foreign_format.h"
#include "capture/pcap.h"
#include "capture/pcapng.h"
#include "capture/snoop.h"
#include "capture/source.h"
#include "capture/spool.h"

namespace slowpath::capture {
namespace {

// The longest magic of the formats read here.
constexpr std::size_t kMagicLen = 8;

// Closed unless released.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// A compressed file that is mapped: the decompressor reads from the mapping.
class MappedBytes final : public StoredBytes {
 public:
  explicit MappedBytes(std::unique_ptr<FileMapping> mapping)
      : mapping_(std::move(mapping)), bytes_(mapping_->bytes()) {}

  Bytes peek() override {
    // A bounded stretch: ISA-L counts in 32 bits, and only pages soon needed are touched.
    const Bytes all = bytes_.peek();
    return all.subspan(0, std::min<std::size_t>(all.size(), kStretchLen));
  }
  Bytes peek_at_least(std::size_t) override { return peek(); }
  void consume(std::size_t len) override {
    bytes_.consume(len);
    if (bytes_.position() - released_ < kReleaseLen) return;
    const std::size_t to = bytes_.position() / kReleaseLen * kReleaseLen;
    mapping_->give_back(released_, to - released_);
    released_ = to;
  }
  [[nodiscard]] std::uint64_t position() const override { return bytes_.position(); }
  [[nodiscard]] std::string problem() const override { return mapping_->problem(); }

 private:
  static constexpr std::size_t kStretchLen = 1u << 20;
  static constexpr std::size_t kReleaseLen = 16u << 20;

  std::unique_ptr<FileMapping> mapping_;
  MemoryBytes bytes_;
  std::size_t released_ = 0;
};

// The format reader that knows these bytes; the window stands at their beginning.
Result<std::unique_ptr<Source>> open_format(std::unique_ptr<ByteWindow> window, SourceInfo info,
                                            std::uint16_t input) {
  const std::size_t have = window->ensure(kMagicLen);
  Bytes head{window->data(), have};
  const std::string attempt = reading(info.name);
  if (have == 0) {
    const std::string problem = window->problem();
    return fail(
        ErrorKind::input, attempt, problem.empty() ? "it is empty" : problem,
        problem.empty() ? "was the capture stopped before the first packet was written?" : "");
  }
  if (is_pcap(head)) return open_pcap(std::move(window), std::move(info), input);
  if (is_pcapng(head)) return open_pcapng(std::move(window), std::move(info), input);
  if (is_snoop(head)) return open_snoop(std::move(window), std::move(info), input);
  const std::size_t more = window->ensure(kRecogniseLen);
  head = {window->data(), std::min(more, kRecogniseLen)};
  const std::string inside =
      info.compression.empty() ? "" : info.compression + "-compressed data; inside ";
  const std::optional<ForeignFormat> foreign = recognise_foreign(head);
  if (foreign) {
    return fail(ErrorKind::input, attempt,
                fmt::format("{}it is no capture, it looks like {}", inside, foreign->what),
                foreign->hint);
  }
  return fail(ErrorKind::input, attempt,
              inside + "it is no capture in a format known here (pcap, pcapng, snoop)",
              "if Wireshark opens it, save it as pcapng there");
}

// Where an input comes from and what is made of it.
struct Opening {
  SourceInfo info;
  std::uint16_t input = 0;
  const std::atomic<bool>* stop = nullptr;
  std::shared_ptr<Spool> spool = nullptr;  // for what cannot be mapped; else a ring is
};

// Lays decompression over stored bytes where their beginning asks for it.
Result<std::unique_ptr<Source>> open_stored(std::unique_ptr<StoredBytes> stored, Opening opening,
                                            bool interactive) {
  const Compression compression = recognise_compression(stored->peek_at_least(6));
  opening.info.compression = compression_name(compression);
  std::unique_ptr<ByteSupply> supply = compression == Compression::none
                                           ? make_plain_supply(std::move(stored))
                                           : make_decompressor(compression, std::move(stored));
  if (opening.spool) {
    opening.spool->start(std::move(supply), std::move(opening.info), interactive);
    return open_again(std::move(opening.spool), opening.input);
  }
  Result<std::unique_ptr<ByteWindow>> window = StreamWindow::make(std::move(supply), interactive);
  if (!window) return std::unexpected(window.error());
  return open_format(std::move(*window), std::move(opening.info), opening.input);
}

Result<std::unique_ptr<Source>> open_mapping(std::unique_ptr<FileMapping> mapping,
                                             Opening opening) {
  if (recognise_compression(mapping->bytes()) != Compression::none) {
    return open_stored(std::make_unique<MappedBytes>(std::move(mapping)), std::move(opening),
                       false);
  }
  return open_format(std::make_unique<MemoryWindow>(std::move(mapping)), std::move(opening.info),
                     opening.input);
}

Result<std::unique_ptr<Source>> open_descriptor(Descriptor file, Opening opening) {
  struct stat status{};
  const std::string& name = opening.info.name;
  if (fstat(file.get(), &status) != 0) {
    return fail(ErrorKind::input, reading(name), std::strerror(errno));
  }
  if (S_ISDIR(status.st_mode)) {
    return fail(ErrorKind::input, reading(name), "it is a directory", "name the files in it");
  }
  // Standard input redirected from a file may stand behind its beginning.
  const bool from_start = S_ISREG(status.st_mode) && lseek(file.get(), 0, SEEK_CUR) == 0;
  if (from_start && status.st_size > 0) {
    const auto len = static_cast<std::size_t>(status.st_size);
    opening.info.file_bytes = len;
    if (auto mapping = FileMapping::make(file.get(), len)) {
      return open_mapping(std::move(mapping), std::move(opening));
    }
  }
  const bool interactive = !S_ISREG(status.st_mode);
  auto stored = std::make_unique<DescriptorBytes>(
      file.release(), opening.stop, opening.spool ? &opening.spool->closing() : nullptr);
  return open_stored(std::move(stored), std::move(opening), interactive);
}

Result<std::unique_ptr<Source>> open_named(Opening opening) {
  const std::string& name = opening.info.name;
  Descriptor file(name == "-" ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                              : open(name.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    const int reason = errno;
    return fail(ErrorKind::input, reading(name), std::strerror(reason),
                reason == EACCES ? "its owner or root can read it" : "");
  }
  if (name == "-" && isatty(file.get()) == 1) {
    return fail(ErrorKind::input, reading(name), "it is a terminal",
                "pipe a capture into it: tcpdump -w - | slowpath diagnose -");
  }
  return open_descriptor(Descriptor(file.release()), std::move(opening));
}

}  // namespace

Result<std::unique_ptr<Source>> open_capture(const std::string& name, std::uint16_t input,
                                             const std::atomic<bool>* stop) {
  Opening opening{.info = {}, .input = input, .stop = stop};
  opening.info.name = name;
  return open_named(std::move(opening));
}

Result<SpooledSource> open_spooled(const std::string& name, std::uint16_t input,
                                   SpoolOptions options, const std::atomic<bool>* stop) {
  Opening opening{.info = {}, .input = input, .stop = stop, .spool = Spool::make(options)};
  opening.info.name = name;
  std::shared_ptr<Spool> spool = opening.spool;
  Result<std::unique_ptr<Source>> source = open_named(std::move(opening));
  if (!source) return std::unexpected(source.error());
  if (spool && !spool->has_started()) spool.reset();  // It is mapped.
  return SpooledSource{std::move(*source), std::move(spool)};
}

Result<std::unique_ptr<Source>> open_again(std::shared_ptr<Spool> spool, std::uint16_t input) {
  SourceInfo described = spool->described();
  return open_format(make_spool_window(std::move(spool)), std::move(described), input);
}

Result<std::unique_ptr<Source>> open_memory(Bytes bytes, const std::string& name,
                                            std::uint16_t input) {
  Opening opening{.info = {}, .input = input};
  opening.info.name = name;
  opening.info.file_bytes = bytes.size();
  if (recognise_compression(bytes) != Compression::none) {
    return open_stored(std::make_unique<MemoryBytes>(bytes), std::move(opening), false);
  }
  return open_format(std::make_unique<MemoryWindow>(bytes), std::move(opening.info), input);
}

}  // namespace slowpath::capture
