// SPDX-License-Identifier: Apache-2.0
#include "support/scenario/transfer.h"

#include <algorithm>

#include "support/scenario/transfer_events.h"
#include "support/scenario/transfer_path.h"
#include "support/scenario/transfer_receiver.h"
#include "support/scenario/transfer_sender.h"

namespace slowpath::test::scenario {
namespace {

void happen(const Event& event, Sender& sender, Receiver& receiver) {
  switch (event.kind) {
    case Event::Kind::data:
      return receiver.on_data(event.at, event.data);
    case Event::Kind::ack:
      return sender.on_ack(event.at, event.reply);
    case Event::Kind::retransmit:
      return sender.on_retransmit_timer(event.at, event.timer);
    case Event::Kind::tail_probe:
      return sender.on_tail_probe(event.at, event.timer);
    case Event::Kind::delayed_ack:
      return receiver.on_delayed_ack(event.at, event.timer);
    case Event::Kind::write:
      return sender.on_write(event.at);
    case Event::Kind::read:
      return receiver.on_read(event.at);
  }
}

}  // namespace

TransferEnd run_transfer(const Transfer& transfer, Connection& connection, Tape& tape,
                         Duration start, std::size_t& events) {
  EventQueue queue;
  Path path(transfer, connection, tape, queue, start);
  Sender sender(transfer, connection, path, queue);
  Receiver receiver(transfer, connection, path, queue);
  sender.start(start);
  Duration now = start;
  Event event;
  while (!sender.done() && !tape.full() && events > 0 && queue.pop(event)) {
    if (event.at > start + transfer.give_up) break;
    --events;
    now = event.at;
    happen(event, sender, receiver);
  }
  connection[transfer.from].next += transfer.bytes;
  return {now, std::clamp(receiver.last_arrival(), start, now)};
}

}  // namespace slowpath::test::scenario
