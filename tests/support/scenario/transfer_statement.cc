// SPDX-License-Identifier: Apache-2.0
// The statement `transfer`: its words into the model's settings.
#include <array>

#include "support/scenario/player.h"
#include "support/scenario/transfer.h"

namespace slowpath::test::scenario {
namespace {

bool read_happening(Transfer& transfer, Words& words) {
  using Kind = Happening::Kind;
  static constexpr std::array<std::pair<std::string_view, Kind>, 5> kKinds{
      {{"lose", Kind::lose},
       {"lose-acks", Kind::lose_ack},
       {"corrupt", Kind::corrupt},
       {"reorder", Kind::reorder},
       {"duplicate", Kind::duplicate}}};
  for (const auto& [name, kind] : kKinds) {
    if (!words.take(name)) continue;
    Happening happening{.kind = kind, .which = Predicate::parse(words), .by = Duration{0}};
    if (kind == Kind::reorder) {
      words.need("by");
      happening.by = words.duration();
    }
    transfer.happenings.push_back(happening);
    return true;
  }
  return false;
}

bool read_path(Transfer& transfer, Words& words) {
  if (words.take("rtt")) {
    transfer.rtt = words.duration();
  } else if (words.take("rate")) {
    transfer.rate_bps = words.rate();
  } else if (words.take("queue")) {
    transfer.queue = words.duration();
  } else if (words.take("ack-rate")) {
    transfer.ack_rate_bps = words.rate();
    words.need("queue");
    transfer.ack_queue = words.duration();
  } else if (words.take("police")) {
    transfer.police_bps = words.rate();
    words.need("burst");
    transfer.police_burst_bytes =
        static_cast<double>(words.number("a bucket's bytes", 1500, std::int64_t{1} << 30));
  } else {
    return read_happening(transfer, words);
  }
  return true;
}

bool read_sender(Transfer& transfer, Words& words) {
  if (words.take("mss")) {
    transfer.segment_size =
        static_cast<std::uint32_t>(words.number("a segment's payload", 64, 65400));
  } else if (words.take("superframe")) {
    transfer.superframe =
        static_cast<std::uint32_t>(words.number("a super-frame's payload", 64, 65400));
  } else if (words.take("unsegmented")) {
    transfer.unsegmented = true;
  } else if (words.take("rto")) {
    transfer.min_rto = words.duration();
  } else if (words.take("initial-window")) {
    transfer.initial_window =
        static_cast<std::uint32_t>(words.number("a count of segments", 1, 1000));
  } else if (words.take("tail-probe")) {
    transfer.tail_probe = true;
  } else if (words.take("nagle")) {
    transfer.nagle = true;
  } else if (words.take("app-rate")) {
    transfer.app_rate_bps = words.rate();
  } else if (words.take("chunk")) {
    transfer.app_chunk = words.number("the bytes of a write", 1, 1 << 24);
  } else {
    return false;
  }
  return true;
}

bool read_receiver(Transfer& transfer, Words& words) {
  if (words.take("window")) {
    transfer.window_bytes = static_cast<std::uint64_t>(words.number("a buffer", 1, 1 << 26));
  } else if (words.take("delayed-ack")) {
    transfer.delayed_ack = words.duration();
  } else if (words.take("reader-rate")) {
    transfer.reader_rate_bps = words.rate();
  } else if (words.take("reader-stalls")) {
    const Duration stall = words.duration();
    words.need("at");
    transfer.reader_stall = {words.number("a position", 1, std::int64_t{1} << 32), stall};
  } else {
    return false;
  }
  return true;
}

}  // namespace

void play_transfer(Player& player, Words& words) {
  Transfer transfer;
  transfer.from = read_way(words);
  words.need("bytes");
  transfer.bytes = words.number("the bytes to transfer", 1, 256 << 20);
  Connection& connection = player.current();
  transfer.rtt = connection.rtt;
  transfer.segment_size = connection.segment_size(transfer.from);
  while (!words.done()) {
    if (!read_path(transfer, words) && !read_sender(transfer, words) &&
        !read_receiver(transfer, words)) {
      words.finish();
    }
  }
  if (words.problem()) return;
  // An end goes on when it may, not when the other one knows.
  const Duration start =
      player.is_timed ? player.now : player.now - connection[transfer.from].ahead;
  const TransferEnd end =
      run_transfer(transfer, connection, player.tape, start, player.events_left);
  player.now = end.sender;
  connection[transfer.from].ahead = Duration{0};
  connection[other(transfer.from)].ahead = end.sender - end.receiver;
}

}  // namespace slowpath::test::scenario
