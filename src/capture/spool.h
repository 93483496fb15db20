// SPDX-License-Identifier: Apache-2.0
// The plain bytes of an input that cannot be mapped as it is, a compressed file or a pipe, kept in
// memory so that it can be read twice. A thread of its own decompresses and writes ahead of whoever
// reads; what was written stays where it is, so frames point into it as into a mapped file.
//
// An input larger than may be kept either ends there for the reader (overflowed(): what can only be
// read once would be lost), or passes through: bytes behind the reader are given back as it moves
// on. Chunks that are handed from thread to thread were refused: a record that lies in two of them
// would have to be copied, and addresses cost nothing until they are written to.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/bytes.h"
#include "base/result.h"
#include "capture/byte_supply.h"
#include "capture/byte_window.h"
#include "capture/source.h"

namespace slowpath::capture {

struct SpoolOptions {
  std::uint64_t most_bytes = 0;  // kept at a time; raised to Spool::kLeastBytes
  bool passes = false;           // of a file: what is more than that is let go behind the reader
};

/// One thread writes, its own; one reads at a time, through a window.
class Spool {
 public:
  /// What one reader needs at the least: what is retained behind it, a batch, the largest record
  /// and the search for what follows it.
  static constexpr std::uint64_t kLeastBytes = std::uint64_t{80} << 20;

  /// Nothing where the system gives no addresses (`ulimit -v`) or no thread (`ulimit -u`).
  static std::shared_ptr<Spool> make(SpoolOptions options);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  /// Begins to keep what `supply` gives; once. `described` has the name, the compression and the
  /// stored size. `interactive`: fed by a program that may pause.
  void start(std::unique_ptr<ByteSupply> supply, SourceInfo described, bool interactive);
  [[nodiscard]] bool has_started() const { return supply_ != nullptr; }
  /// True once nobody wants more: ends a wait of the supply's.
  [[nodiscard]] const std::atomic<bool>& closing() const { return closing_; }

  /// Waits for `bytes` to be written, for the end, or until nothing more can be kept, at most
  /// `time`. True when it was one of these.
  bool wait_for(std::uint64_t bytes, std::chrono::milliseconds time);
  /// Plain bytes by now.
  [[nodiscard]] std::uint64_t written() const { return written_.load(std::memory_order_acquire); }
  /// Of these, in memory.
  [[nodiscard]] std::uint64_t kept() const { return written() - released_.load(); }
  /// True when all that was written is still there.
  [[nodiscard]] bool is_whole() const { return released_.load() == 0 && !overflowed(); }
  /// True when the input ended and is whole.
  [[nodiscard]] bool is_complete() const { return ended_.load() && is_whole(); }
  /// True when the reader was told that the input ends although it does not.
  [[nodiscard]] bool overflowed() const { return overflowed_.load(); }

  /// Called by the reader's thread before bytes of frames that next_batch() had returned are let
  /// go. Set while nobody reads; empty when the reader is done with a batch before the next.
  void before_letting_go(std::function<void()> call) { before_letting_go_ = std::move(call); }
  /// Lets the rest of an overflowed input come, for a reader that begins anew and is the last.
  void pass_on();
  /// Nothing more is asked of the input. Waits for the thread and gives addresses back.
  void end();

  [[nodiscard]] const SourceInfo& described() const { return described_; }

 private:
  friend class SpoolWindow;

  explicit Spool(SpoolOptions options);
  bool reserve();
  void write_all();
  bool wait_for_supply();
  std::size_t wait_for_room();
  bool allow_writing(std::uint64_t until);
  bool populate_to(std::uint64_t end);
  void populate_ahead();
  void publish(std::size_t len);
  std::uint64_t read_to(std::uint64_t until, std::uint64_t needed_from);
  bool make_room(std::uint64_t needed_from, std::uint64_t least);
  [[nodiscard]] Bytes bytes_at(std::uint64_t offset, std::size_t len) const;
  [[nodiscard]] std::string problem() const;

  const std::uint64_t most_bytes_;
  SourceInfo described_;
  bool interactive_ = false;
  std::atomic<bool> closing_ = false;
  std::unique_ptr<ByteSupply> supply_;  // the thread's, from start() until it ended
  std::function<void()> before_letting_go_;

  void* mapped_ = nullptr;  // with what alignment lost
  std::size_t mapped_len_ = 0;
  std::byte* memory_ = nullptr;
  std::uint64_t reserved_ = 0;                // addresses from memory_ on
  std::atomic<std::uint64_t> allowed_ = 0;    // of these may be written to
  std::atomic<std::uint64_t> populated_ = 0;  // of these somebody has seen to memory

  std::atomic<std::uint64_t> written_ = 0, released_ = 0, stored_position_ = 0;
  std::atomic<bool> overflowed_ = false;
  std::atomic<bool> blocked_ = false;  // the thread waits for room

  std::mutex mutex_;
  std::condition_variable came_, room_;
  bool passes_;
  bool exhausted_ = false;  // no address is left
  std::atomic<bool> ended_ = false;
  std::string problem_;         // once ended
  std::exception_ptr failure_;  // likewise
  std::thread thread_;
};

/// Reads a spool from its first byte.
std::unique_ptr<ByteWindow> make_spool_window(std::shared_ptr<Spool> spool);

/// An input and what keeps it; `spool` is null where the file is mapped as it is, or the system has
/// nothing for one.
struct SpooledSource {
  std::unique_ptr<Source> source;
  std::shared_ptr<Spool> spool;
};

/// As open_capture() does, with a spool under what cannot be mapped.
Result<SpooledSource> open_spooled(const std::string& name, std::uint16_t input,
                                   SpoolOptions options, const std::atomic<bool>* stop);

/// The same input once more. The spool is whole, or was told to pass on and never read since.
Result<std::unique_ptr<Source>> open_again(std::shared_ptr<Spool> spool, std::uint16_t input);

}  // namespace slowpath::capture
