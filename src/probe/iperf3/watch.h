// SPDX-License-Identifier: Apache-2.0
// What is counted beside a run: amounts that end it, and the processor time of this program.
// Internal to run.cc.
#pragma once

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <span>

#include "base/descriptor.h"
#include "facts/iperf3.h"
#include "probe/iperf3/datagrams.h"
#include "probe/iperf3/parameters.h"
#include "probe/transfer.h"

namespace slowpath::probe::iperf3 {

struct ProcessTimes {
  double user_s = 0, system_s = 0, wall_s = 0;
};

ProcessTimes process_times();
Iperf3Cpu cpu_between(const ProcessTimes& begin, const ProcessTimes& end);

/// How long nothing may move until the other end counts as gone: a sender that holds a rate pauses
/// by itself, for as long as a burst of blocks lasts at it.
double silence_limit_s(const Parameters& parameters, double silent_s);

/// One block in memory for sendfile(2): digits where they are asked for, else noise. Not open where
/// the kernel gives none.
Descriptor memory_file(const Parameters& parameters);

/// What ends a run from within: a signal, and for a client that does not only send the amount,
/// which either way may reach first, as with iperf3.
struct Watch {
  const std::atomic<bool>* signal = nullptr;
  std::uint64_t bytes = 0, blocks = 0;  // wanted; 0: no limit
  std::uint64_t moved_bytes = 0, moved_blocks = 0;
  bool reached = false, interrupted = false;
  std::atomic<bool> stop{false};

  void add(std::uint64_t more) {
    moved_bytes += more;
    ++moved_blocks;
    reached =
        reached || (bytes > 0 && moved_bytes >= bytes) || (blocks > 0 && moved_blocks >= blocks);
    look();
  }
  void look() {
    interrupted = interrupted || (signal != nullptr && signal->load());
    if (reached || interrupted) stop = true;
  }
};

/// "0123456789" again and again.
inline void fill_digits(std::span<std::byte> block) {
  for (std::size_t i = 0; i < block.size(); ++i) block[i] = static_cast<std::byte>('0' + i % 10);
}

/// Counts what is sent; the bytes stay as the transfer made them.
class CountedSource final : public BlockSource {
 public:
  /// `digits`: "0123456789..." in the place of the bytes that the transfer made up.
  CountedSource(Watch& watch, DatagramSource* inner, bool digits)
      : watch_(watch), inner_(inner), digits_(digits) {}
  void fill(std::span<std::byte> block, std::uint64_t offset) override {
    if (digits_) fill_digits(block);
    // A block stays as it is until the next is made in its place; only an amount cuts one short.
    digits_ = false;
    if (inner_ != nullptr) inner_->fill(block, offset);
    watch_.add(block.size());
  }

 private:
  Watch& watch_;
  DatagramSource* inner_;
  bool digits_;
};

/// Writes what comes to a file. After an error it ends the run and writes no more.
class FileSink final : public BlockSink {
 public:
  FileSink(Watch& watch, int file) : watch_(watch), file_(file) {}
  void take(Bytes bytes, std::uint64_t) override {
    const std::size_t all = bytes.size();
    while (error_ == 0 && !bytes.empty()) {
      const ssize_t written = write(file_, bytes.data(), bytes.size());
      if (written > 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(written));
      } else if (errno != EINTR) {
        error_ = errno;
        watch_.reached = true;
      }
    }
    watch_.add(all);
  }
  /// errno of what failed; 0 without.
  [[nodiscard]] int error() const { return error_; }

 private:
  Watch& watch_;
  int file_, error_ = 0;
};

class CountedSink final : public BlockSink {
 public:
  CountedSink(Watch& watch, DatagramSink* inner) : watch_(watch), inner_(inner) {}
  void take(Bytes bytes, std::uint64_t offset) override {
    if (inner_ != nullptr) inner_->take(bytes, offset);
    watch_.add(bytes.size());
  }

 private:
  Watch& watch_;
  DatagramSink* inner_;
};

}  // namespace slowpath::probe::iperf3
