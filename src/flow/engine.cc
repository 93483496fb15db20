// SPDX-License-Identifier: Apache-2.0
#include "flow/engine.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/in_parallel.h"
#include "flow/capture_witness.h"
#include "flow/connection.h"
#include "flow/finished_facts.h"
#include "flow/flow_table.h"
#include "flow/fragments.h"
#include "flow/paths.h"
#include "flow/sane_time.h"

namespace slowpath::flow {
namespace {

// Eighths of the budget for the facts of finished connections, and for those that go on.
constexpr std::uint64_t kFinishedEighths = 3, kLiveEighths = 5;
// How often memory is counted: after so many packets, or when so small a share of the budget went
// to new connections.
constexpr std::uint64_t kPacketsBetweenChecks = 65536, kChecksPerBudget = 16,
                        kConnectionsBetweenChecks = 256;

// Records that wait to be read, in all, and in the shortest chapter by which a capture point can be
// judged.
constexpr std::size_t kWaitingRecords = std::size_t{1} << 21, kShortestChapter = 256;
// Packets decoded before the first of them is added: as many as their parts hide each other's waits
// for memory.
constexpr std::size_t kTogether = 32;
// Connections that threads finish side by side: so many that one that takes long is not waited for.
constexpr std::size_t kFinishedTogether = 256;

std::uint64_t hash_of_ends(const wire::Packet& packet) {
  return hash_of({packet.source, packet.source_port},
                 {packet.destination, packet.destination_port});
}

// What lived a moment ago and is gone: the answer is made beside it otherwise, and a process holds
// twice what it was allowed.
void give_back_memory() {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

bool is_between(const Connection& connection, const Endpoint& a, const Endpoint& b) {
  return (connection.client() == a && connection.server() == b) ||
         (connection.client() == b && connection.server() == a);
}

}  // namespace

struct Engine::State {
  explicit State(EngineOptions given) : options(std::move(given)) {}

  void add(const wire::Frame& frame, const wire::Packet& packet, std::uint64_t hash);
  void add_tcp(const wire::Frame& frame, const wire::Packet& packet, std::uint64_t hash);
  void prefetch(std::size_t count) const;
  void add_icmp(const wire::Frame& frame, const wire::Packet& packet);
  Connection& connection_for(const wire::Frame& frame, const wire::Packet& packet,
                             std::uint64_t hash);
  void finish_one(std::size_t position);
  [[nodiscard]] std::unique_ptr<ConnectionFacts> facts_of(std::size_t position);
  void keep(ConnectionFacts&& facts);
  void finish_rest();
  void keep_within_memory();
  void finish_oldest(std::uint64_t least_bytes);
  void forget_finished_keys();

  void set_chapter();

  EngineOptions options;
  std::size_t threads = 1;
  std::size_t chapter = options.chapter_packets;  // of all connections
  std::size_t finished_count = 0;                 // of all connections
  FlowTable table;
  std::vector<std::unique_ptr<Connection>> connections;  // by id; finished ones are null, or gone
  std::uint32_t connections_total = 0;                   // the next one's id
  FinishedFacts finished{options.memory_bytes / 8 * kFinishedEighths};
  Fragments fragments;
  CaptureWitness witness;
  std::uint64_t unmatched_icmp = 0;
  std::uint64_t packets_since_check = 0, connections_since_check = 0;
  Time newest{};                                  // of any packet
  std::array<wire::Packet, kTogether> packets;    // of a batch
  std::array<std::uint64_t, kTogether> hashes{};  // of those that are TCP, else 0
};

Engine::Engine(EngineOptions options) : state_(std::make_unique<State>(std::move(options))) {}
Engine::~Engine() = default;

void Engine::add(const wire::Frame& frame, const wire::Packet& packet) {
  state_->add(frame, packet, packet.kind == wire::PacketKind::tcp ? hash_of_ends(packet) : 0);
}

void Engine::add(std::span<const wire::Frame> frames) {
  State& s = *state_;
  for (std::size_t from = 0; from < frames.size(); from += kTogether) {
    const auto part = frames.subspan(from, std::min(kTogether, frames.size() - from));
    for (std::size_t i = 0; i < part.size(); ++i) {
      wire::decode(part[i], s.packets[i]);
      s.hashes[i] = s.packets[i].kind == wire::PacketKind::tcp ? hash_of_ends(s.packets[i]) : 0;
      s.table.prefetch(s.hashes[i]);
    }
    s.prefetch(part.size());
    for (std::size_t i = 0; i < part.size(); ++i) s.add(part[i], s.packets[i], s.hashes[i]);
  }
}

// Slots were fetched; they tell the connections, and those where their next record goes.
void Engine::State::prefetch(std::size_t count) const {
  std::array<const Connection*, kTogether> connections_near{};
  for (std::size_t i = 0; i < count; ++i) {
    connections_near[i] = table.guess(hashes[i]);
    if (connections_near[i] != nullptr) connections_near[i]->prefetch();
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (connections_near[i] != nullptr) connections_near[i]->prefetch_add();
  }
}

void Engine::State::add(const wire::Frame& given, const wire::Packet& packet, std::uint64_t hash) {
  wire::Frame frame = given;
  // Without a time of its own a frame belongs to the moment of the one before.
  if (!has_sane_time(frame)) {
    frame.has_time = false;
    frame.time = newest;
  }
  newest = frame.time;
  witness.add(frame, packet);
  const bool is_icmp = packet.kind == wire::PacketKind::icmp;
  if (packet.is_fragment) {
    if (const auto joined = fragments.add(frame, packet))
      add_tcp(frame, *joined, hash_of_ends(*joined));
  } else if (packet.kind == wire::PacketKind::tcp) {
    add_tcp(frame, packet, hash);
  }
  if (is_icmp && !packet.is_fragment) fragments.add_icmp(frame, packet);
  if (is_icmp) add_icmp(frame, packet);
}

Connection& Engine::State::connection_for(const wire::Frame& frame, const wire::Packet& packet,
                                          std::uint64_t hash) {
  Connection** known = table.find(hash, [&](const Connection& c) { return c.has_ends(packet); });
  if (known != nullptr && !(*known)->is_new_use(packet, frame.time)) return **known;
  const std::uint32_t id = connections_total++;
  connections.push_back(std::make_unique<Connection>(id, packet, frame.time, chapter));
  set_chapter();
  ++connections_since_check;
  Connection& made = *connections.back();
  if (options.on_frame) made.label_frames(options.on_frame);
  if (known != nullptr) {
    made.set_reuse((*known)->id(), to_seconds(frame.time - (*known)->last()));
    *known = &made;
  } else {
    table.put(hash, made);
  }
  return made;
}

void Engine::State::add_tcp(const wire::Frame& frame, const wire::Packet& packet,
                            std::uint64_t hash) {
  Connection& connection = connection_for(frame, packet, hash);
  connection.add(frame, packet, options.verify_checksums, options.bytes_at);
  if (++packets_since_check >= kPacketsBetweenChecks ||
      (connections_since_check >= kConnectionsBetweenChecks &&
       connections_since_check * sizeof(Connection) >= options.memory_bytes / kChecksPerBudget)) {
    keep_within_memory();
  }
}

void Engine::State::add_icmp(const wire::Frame& frame, const wire::Packet& packet) {
  if (!packet.quote.present || !packet.quote.is_tcp || !packet.quote.has_ports) return;
  const Endpoint &sender = packet.quote.source, &receiver = packet.quote.destination;
  Connection** known = table.find(hash_of(sender, receiver), [&](const Connection& c) {
    return is_between(c, sender, receiver);
  });
  if (known == nullptr) {
    ++unmatched_icmp;
    return;
  }
  (*known)->add_icmp(frame, packet, options.bytes_at);
}

// Of many connections at a time each has shorter chapters: what waits to be read stays as much in
// all.
void Engine::State::set_chapter() {
  const std::size_t live = connections_total - finished_count;
  chapter =
      std::clamp(kWaitingRecords / std::max<std::size_t>(live, 1),
                 std::min(kShortestChapter, options.chapter_packets), options.chapter_packets);
}

void Engine::State::finish_one(std::size_t position) { keep(std::move(*facts_of(position))); }

// Touches this connection and nothing else.
std::unique_ptr<ConnectionFacts> Engine::State::facts_of(std::size_t position) {
  auto facts = std::make_unique<ConnectionFacts>(connections[position]->finish(options.bytes_at));
  connections[position].reset();
  return facts;
}

void Engine::State::keep(ConnectionFacts&& facts) {
  ++finished_count;
  finished.keep(std::move(facts));
}

// Some at a time, so that little is held that is let go at once; kept in their own order.
void Engine::State::finish_rest() {
  std::vector<std::size_t> live;
  for (std::size_t i = 0; i < connections.size(); ++i) {
    if (connections[i]) live.push_back(i);
  }
  finished.expect_rest(live.size());
  std::array<std::unique_ptr<ConnectionFacts>, kFinishedTogether> made;
  for (std::size_t from = 0; from < live.size(); from += made.size()) {
    const std::size_t count = std::min(made.size(), live.size() - from);
    in_parallel(count, threads, [&](std::size_t i) { made[i] = facts_of(live[from + i]); });
    for (std::size_t i = 0; i < count; ++i) keep(std::move(*made[i]));
  }
}

void Engine::State::keep_within_memory() {
  packets_since_check = connections_since_check = 0;
  std::uint64_t held = connections.size() * sizeof connections[0];
  for (const auto& connection : connections) held += connection ? connection->memory_bytes() : 0;
  if (held <= options.memory_bytes / 8 * kLiveEighths) return;
  finish_oldest(held / 2);
  // A capture of nothing but beginnings would leave as many places as it has packets.
  std::erase(connections, nullptr);
  forget_finished_keys();
}

// Finishes the connections that were idle longest, which say so, until `least_bytes` are free.
void Engine::State::finish_oldest(std::uint64_t least_bytes) {
  std::vector<std::pair<Time, std::size_t>> by_age;
  for (std::size_t i = 0; i < connections.size(); ++i) {
    if (connections[i]) by_age.emplace_back(connections[i]->last(), i);
  }
  std::sort(by_age.begin(), by_age.end());
  std::uint64_t freed = 0;
  for (const auto& [last, i] : by_age) {
    if (freed >= least_bytes) return;
    freed += connections[i]->memory_bytes();
    connections[i]->set_forgotten();
    finish_one(i);
  }
}

// A table that also held every four-tuple that ever was would grow without bound.
void Engine::State::forget_finished_keys() {
  table.clear();
  for (const auto& connection : connections) {
    Connection& live = *connection;
    const std::uint64_t hash = hash_of(live.client(), live.server());
    Connection** earlier = table.find(
        hash, [&](const Connection& c) { return is_between(c, live.client(), live.server()); });
    if (earlier != nullptr) {
      *earlier = &live;
    } else {
      table.put(hash, live);
    }
  }
}

std::size_t Engine::connections() const { return state_->connections_total; }

void Engine::count_with(CaptureWitness witness) { state_->witness = std::move(witness); }

void Engine::set_threads(std::size_t threads) {
  SLOWPATH_ASSERT(threads == 1 || !state_->options.on_frame);
  state_->threads = threads;
}

Case Engine::finish() {
  State& s = *state_;
  s.finish_rest();
  give_back_memory();
  Case facts;
  facts.connections = s.finished.take();
  facts.connections_total = s.connections_total;
  facts.unmatched_icmp_errors = s.unmatched_icmp;
  s.fragments.finish(facts.paths);
  gather_paths(facts);
  facts.captures = s.witness.finish(facts);
  return facts;
}

}  // namespace slowpath::flow
