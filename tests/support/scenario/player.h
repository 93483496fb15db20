// SPDX-License-Identifier: Apache-2.0
// Where a scenario stands while it is played: the clock, the connections, the tape. Each statement
// is a function that reads its words and acts; a statement with a mistake in it does nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <vector>

#include "support/scenario/connection.h"
#include "support/scenario/expectation.h"
#include "support/scenario/limits.h"
#include "support/scenario/tape.h"
#include "support/scenario/words.h"

namespace slowpath::test::scenario {

struct Player {
  Player(const Limits& limits, Tape& to) : tape(to), events_left(limits.events) {}

  Tape& tape;
  std::size_t events_left;
  Duration now{0};
  bool is_timed = false;  // the statement has a time of its own
  std::list<Connection> connections;
  Connection* connection = nullptr;
  std::vector<Expectation> expectations;

  Connection& select(const Endpoint& client, const Endpoint& server);
  /// The one in use; the first use makes 10.0.0.1:40000 > 10.0.0.2:80.
  Connection& current();
};

/// "c > s" or "s > c": who sends.
Side read_way(Words& words);

// Statements; the word that names each was taken already.
void play_connection(Player& player, Words& words);
void play_options(Player& player, Words& words);
void play_handshake(Player& player, Words& words);
void play_close(Player& player, Words& words);
void play_packet(Player& player, Words& words);  // begins with "c > s"
void play_icmp(Player& player, Words& words);
void play_ping(Player& player, Words& words);
void play_transfer(Player& player, Words& words);
void play_vantage(Player& player, Words& words);
void play_snap(Player& player, Words& words);
void play_capture(Player& player, Words& words);
void play_offload(Player& player, Words& words);
void play_wait(Player& player, Words& words);

}  // namespace slowpath::test::scenario
