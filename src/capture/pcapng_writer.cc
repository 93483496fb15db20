// SPDX-License-Identifier: Apache-2.0
// pcapng blocks put together in one buffer that is written when it is full: nothing is allocated
// for a packet. All fields are little endian, the order of the section's magic.
#include "capture/pcapng_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace slowpath::capture {
namespace {

// draft-ietf-opsawg-pcapng: block types (section 10.1), options of section 3.5, 4.1, 4.2, 4.3.
constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a;
constexpr std::uint32_t kInterfaceDescription = 1;
constexpr std::uint32_t kEnhancedPacket = 6;
constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;
constexpr std::uint16_t kComment = 1, kApplication = 4, kName = 2, kTsResol = 9, kFlags = 2;
constexpr std::byte kNanoseconds{9};  // 10^-9 s

constexpr std::size_t kBufferBytes = 1U << 20U;
constexpr std::size_t kMaxOptionBytes = 65532;  // of a 16-bit length, a multiple of 4
constexpr std::uint32_t kPacketHeadBytes = 28;  // block type to original length
constexpr int kStandardOutput = 1;

constexpr std::uint32_t padded(std::size_t len) {
  return static_cast<std::uint32_t>((len + 3) & ~std::size_t{3});
}

Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// Cut between characters of UTF-8, which pcapng asks for.
std::string_view cut_text(std::string_view text) {
  if (text.size() <= kMaxOptionBytes) return text;
  std::size_t end = kMaxOptionBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return text.substr(0, end);
}

/// Bytes that an option takes in a block; none where it is empty.
std::uint32_t option_bytes(std::size_t len) { return len == 0 ? 0 : 4 + padded(len); }

/// A descriptor behind a buffer. After the first failure nothing more is written.
class BufferedFile {
 public:
  BufferedFile(int fd, bool is_ours)
      : fd_(fd), is_ours_(is_ours), buffer_(std::make_unique<std::byte[]>(kBufferBytes)) {}
  ~BufferedFile() { close(); }
  BufferedFile(const BufferedFile&) = delete;
  BufferedFile& operator=(const BufferedFile&) = delete;

  void put(Bytes bytes) {
    if (bytes.size() > kBufferBytes - used_) {
      flush();
      if (bytes.size() > kBufferBytes) {
        write_all(bytes);
        return;
      }
    }
    if (!bytes.empty()) std::memcpy(buffer_.get() + used_, bytes.data(), bytes.size());
    used_ += bytes.size();
  }
  void flush() {
    write_all({buffer_.get(), used_});
    used_ = 0;
  }
  void close() {
    if (fd_ < 0) return;
    flush();
    // A full disk may be told as late as here (NFS, quotas).
    if (is_ours_ && ::close(fd_) != 0 && error_ == 0) error_ = errno;
    fd_ = -1;
  }
  /// errno of the first failure; 0 if there was none.
  [[nodiscard]] int error() const { return error_; }

 private:
  void write_all(Bytes bytes) {
    while (!bytes.empty() && error_ == 0) {
      const auto written = ::write(fd_, bytes.data(), bytes.size());
      if (written >= 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(written));
      } else if (errno != EINTR) {
        error_ = errno;
      }
    }
  }

  int fd_;
  bool is_ours_;
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t used_ = 0;
  int error_ = 0;
};

}  // namespace

struct PcapngWriter::State {
  State(std::string file_name, int fd, bool is_ours)
      : file(std::move(file_name)), out(fd, is_ours) {}

  template <typename T>
  void put(T value) {
    static_assert(std::is_integral_v<T>);
    out.put({reinterpret_cast<const std::byte*>(&value), sizeof value});
  }
  void put_padded(Bytes bytes) {
    static constexpr std::array<std::byte, 4> kZeros{};
    out.put(bytes);
    out.put(Bytes{kZeros}.first(padded(bytes.size()) - bytes.size()));
  }
  void put_option(std::uint16_t code, Bytes value) {
    if (value.empty()) return;
    put(code);
    put(static_cast<std::uint16_t>(value.size()));
    put_padded(value);
  }
  void put_end_of_options() { put(std::uint32_t{0}); }

  void put_section(std::string_view application);
  void put_interface(std::string_view name, wire::LinkType link_type, std::uint32_t snap_len);

  std::string file;
  BufferedFile out;
  std::vector<std::uint32_t> snap_lens;  // by interface; UINT32_MAX: not limited
  std::uint64_t packets = 0;
};

void PcapngWriter::State::put_section(std::string_view application) {
  const auto options = application.empty() ? 0 : option_bytes(application.size()) + 4;
  const std::uint32_t len = 28 + options;
  put(kSectionHeader);
  put(len);
  put(kByteOrderMagic);
  put(std::uint16_t{1});
  put(std::uint16_t{0});
  put(~std::uint64_t{0});  // the section's length is not known
  if (options != 0) {
    put_option(kApplication, as_bytes(application));
    put_end_of_options();
  }
  put(len);
}

void PcapngWriter::State::put_interface(std::string_view name, wire::LinkType link_type,
                                        std::uint32_t snap_len) {
  const std::uint32_t len = 20 + option_bytes(name.size()) + option_bytes(1) + 4;
  put(kInterfaceDescription);
  put(len);
  put(static_cast<std::uint16_t>(link_type));
  put(std::uint16_t{0});
  put(snap_len);
  put_option(kName, as_bytes(name));
  put_option(kTsResol, {&kNanoseconds, 1});
  put_end_of_options();
  put(len);
}

PcapngWriter::PcapngWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
PcapngWriter::~PcapngWriter() = default;

Result<std::unique_ptr<PcapngWriter>> PcapngWriter::create(const std::string& file,
                                                           std::string_view application) {
  const bool is_standard_output = file == "-";
  const int fd = is_standard_output
                     ? kStandardOutput
                     : ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) {
    return fail(ErrorKind::environment, "cannot create " + file, std::strerror(errno),
                "name a file in a folder that you may write to");
  }
  auto state = std::make_unique<State>(is_standard_output ? "standard output" : file, fd,
                                       !is_standard_output);
  state->put_section(cut_text(application));
  return std::unique_ptr<PcapngWriter>(new PcapngWriter(std::move(state)));
}

std::uint32_t PcapngWriter::add_interface(std::string_view name, wire::LinkType link_type,
                                          std::uint32_t snap_len) {
  state_->put_interface(cut_text(name), link_type, snap_len);
  state_->snap_lens.push_back(snap_len == 0 ? UINT32_MAX : snap_len);
  return static_cast<std::uint32_t>(state_->snap_lens.size() - 1);
}

void PcapngWriter::packet(std::uint32_t interface, Time when, Bytes bytes,
                          std::uint32_t original_len, wire::FrameDirection direction,
                          std::string_view comment) {
  auto& state = *state_;
  SLOWPATH_ASSERT(interface < state.snap_lens.size());
  const auto wire_len = std::max(original_len, static_cast<std::uint32_t>(bytes.size()));
  bytes = bytes.first(std::min<std::size_t>(bytes.size(), state.snap_lens[interface]));
  comment = cut_text(comment);
  // epb_flags, bits 0 and 1: 1 inbound, 2 outbound.
  const auto flags = static_cast<std::uint32_t>(direction);
  static_assert(static_cast<int>(wire::FrameDirection::inbound) == 1 &&
                static_cast<int>(wire::FrameDirection::outbound) == 2);
  std::uint32_t options = option_bytes(comment.size());
  if (flags != 0) options += option_bytes(sizeof flags);
  if (options != 0) options += 4;

  const auto captured_len = static_cast<std::uint32_t>(bytes.size());
  const std::uint32_t len = kPacketHeadBytes + padded(captured_len) + options + 4;
  const auto ns = static_cast<std::uint64_t>(to_ns(when));
  const std::array<std::uint32_t, 7> head{kEnhancedPacket,
                                          len,
                                          interface,
                                          static_cast<std::uint32_t>(ns >> 32U),
                                          static_cast<std::uint32_t>(ns),
                                          captured_len,
                                          wire_len};
  state.out.put(std::as_bytes(std::span{head}));
  state.put_padded(bytes);
  if (options != 0) {
    state.put_option(kComment, as_bytes(comment));
    if (flags != 0) state.put_option(kFlags, {reinterpret_cast<const std::byte*>(&flags), 4});
    state.put_end_of_options();
  }
  state.put(len);
  ++state.packets;
}

std::uint64_t PcapngWriter::packets() const { return state_->packets; }

Result<void> PcapngWriter::close() {
  state_->out.close();
  if (const int error = state_->out.error(); error != 0) {
    return fail(ErrorKind::environment, "cannot write " + state_->file, std::strerror(error),
                "the file is incomplete: free space, or write it elsewhere");
  }
  return {};
}

}  // namespace slowpath::capture
