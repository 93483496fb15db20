// SPDX-License-Identifier: Apache-2.0
// What is counted beside a run: amounts that end it, and the processor time of this program.
// Internal to run.cc.
#pragma once

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <deque>
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

/// The mean rate of the last intervals, and whether it is above what is allowed.
class AverageRate {
 public:
  /// `over` is rounded to whole intervals, at least one.
  AverageRate(double most_bps, Duration over, Duration interval);
  /// Takes one more interval. False as long as there were too few.
  bool exceeds(std::uint64_t bytes, double seconds);

 private:
  struct Interval {
    double bits = 0, seconds = 0;
  };
  double most_bps_;
  std::size_t wanted_;
  std::deque<Interval> last_;
};

/// Writes what comes to a file, from its beginning where it has one. After an error it ends the run
/// and writes no more.
class FileSink final : public BlockSink {
 public:
  FileSink(Watch& watch, int file, BlockSink* inner)
      : watch_(watch),
        inner_(inner),
        file_(file),
        has_places_(lseek(file, 0, SEEK_CUR) != static_cast<off_t>(-1)) {}
  void take(Bytes bytes, std::uint64_t offset) override {
    if (inner_ != nullptr) inner_->take(bytes, offset);
    const std::size_t all = bytes.size();
    while (error_ == 0 && !bytes.empty()) {
      // Streams share the descriptor: none may move the others' place.
      const ssize_t written = has_places_ ? pwrite(file_, bytes.data(), bytes.size(), at_)
                                          : write(file_, bytes.data(), bytes.size());
      if (written > 0) {
        at_ += written;
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
  BlockSink* inner_;
  int file_, error_ = 0;
  bool has_places_;
  off_t at_ = 0;
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
