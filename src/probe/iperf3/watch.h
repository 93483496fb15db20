// SPDX-License-Identifier: Apache-2.0
// What is counted beside a run: amounts that end it, and the processor time of this program.
// Internal to run.cc.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "facts/iperf3.h"
#include "probe/iperf3/datagrams.h"
#include "probe/transfer.h"

namespace slowpath::probe::iperf3 {

struct ProcessTimes {
  double user_s = 0, system_s = 0, wall_s = 0;
};

ProcessTimes process_times();
Iperf3Cpu cpu_between(const ProcessTimes& begin, const ProcessTimes& end);

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
    reached = (bytes > 0 && moved_bytes >= bytes) || (blocks > 0 && moved_blocks >= blocks);
    look();
  }
  void look() {
    interrupted = interrupted || (signal != nullptr && signal->load());
    if (reached || interrupted) stop = true;
  }
};

/// Counts what is sent; the bytes stay as the transfer made them.
class CountedSource final : public BlockSource {
 public:
  CountedSource(Watch& watch, DatagramSource* inner) : watch_(watch), inner_(inner) {}
  void fill(std::span<std::byte> block, std::uint64_t offset) override {
    if (inner_ != nullptr) inner_->fill(block, offset);
    watch_.add(block.size());
  }

 private:
  Watch& watch_;
  DatagramSource* inner_;
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
