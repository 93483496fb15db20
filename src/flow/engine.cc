// SPDX-License-Identifier: Apache-2.0
#include "flow/engine.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "flow/capture_witness.h"
#include "flow/connection.h"
#include "flow/flow_table.h"
#include "flow/fragments.h"
#include "flow/paths.h"

namespace slowpath::flow {

struct Engine::State {
  explicit State(EngineOptions given) : options(std::move(given)) {}

  void add_tcp(const wire::Frame& frame, const wire::Packet& packet);
  void add_icmp(const wire::Frame& frame, const wire::Packet& packet);
  Connection& connection_for(const wire::Frame& frame, const wire::Packet& packet);
  void finish_one(std::size_t position);
  void keep_within_memory();

  EngineOptions options;
  FlowTable table;
  std::vector<std::unique_ptr<Connection>> connections;   // by id; finished ones are null
  std::vector<ConnectionFacts> finished;
  Fragments fragments;
  CaptureWitness witness;
  std::uint64_t unmatched_icmp = 0;
  std::uint64_t packets_since_check = 0;
  std::size_t oldest_candidate = 0;
};

Engine::Engine(EngineOptions options) : state_(std::make_unique<State>(std::move(options))) {}
Engine::~Engine() = default;

void Engine::add(const wire::Frame& frame, const wire::Packet& packet) {
  State& s = *state_;
  s.witness.add(frame, packet);
  const bool is_icmp = packet.kind == wire::PacketKind::icmp;
  if (packet.is_fragment) {
    if (const auto joined = s.fragments.add(frame, packet)) s.add_tcp(frame, *joined);
  } else if (packet.kind == wire::PacketKind::tcp) {
    s.add_tcp(frame, packet);
  }
  if (is_icmp && !packet.is_fragment) s.fragments.add_icmp(frame, packet);
  if (is_icmp) s.add_icmp(frame, packet);
}

Connection& Engine::State::connection_for(const wire::Frame& frame, const wire::Packet& packet) {
  const FlowKey key({packet.source, packet.source_port}, {packet.destination, packet.destination_port});
  const std::uint64_t hash = hash_of(key);
  std::uint32_t* known = table.find(key, hash);
  if (known != nullptr && connections[*known] && !connections[*known]->is_new_use(packet, frame.time)) {
    return *connections[*known];
  }
  const auto id = static_cast<std::uint32_t>(connections.size());
  connections.push_back(std::make_unique<Connection>(id, packet, frame.time));
  if (options.on_frame) connections.back()->label_frames(options.on_frame);
  if (known != nullptr) {
    if (connections[*known]) {
      connections.back()->set_reuse(*known, to_seconds(frame.time - connections[*known]->last()));
    }
    *known = id;
  } else {
    table.put(key, hash, id);
  }
  return *connections.back();
}

void Engine::State::add_tcp(const wire::Frame& frame, const wire::Packet& packet) {
  Connection& connection = connection_for(frame, packet);
  connection.add(frame, packet, options.verify_checksums, options.bytes_at);
  if (++packets_since_check >= 65536) keep_within_memory();
}

void Engine::State::add_icmp(const wire::Frame& frame, const wire::Packet& packet) {
  if (!packet.quote.present || !packet.quote.is_tcp || !packet.quote.has_ports) return;
  const FlowKey key(packet.quote.source, packet.quote.destination);
  const std::uint32_t* known = table.find(key, hash_of(key));
  if (known == nullptr || !connections[*known]) {
    ++unmatched_icmp;
    return;
  }
  connections[*known]->add_icmp(frame, packet, options.bytes_at);
}

void Engine::State::finish_one(std::size_t position) {
  finished.push_back(connections[position]->finish(options.bytes_at));
  connections[position].reset();
}

// The oldest idle connections are finished first; they say so.
void Engine::State::keep_within_memory() {
  packets_since_check = 0;
  std::uint64_t held = finished.size() * sizeof(ConnectionFacts);
  for (const auto& connection : connections) held += connection ? connection->memory_bytes() : sizeof connection;
  if (held <= options.memory_bytes) return;
  std::vector<std::pair<Time, std::size_t>> by_age;
  for (std::size_t i = 0; i < connections.size(); ++i) {
    if (connections[i]) by_age.emplace_back(connections[i]->last(), i);
  }
  std::sort(by_age.begin(), by_age.end());
  for (std::size_t i = 0; i < by_age.size() / 2; ++i) {
    connections[by_age[i].second]->set_forgotten();
    finish_one(by_age[i].second);
  }
}

Case Engine::finish() {
  State& s = *state_;
  for (std::size_t i = 0; i < s.connections.size(); ++i) {
    if (s.connections[i]) s.finish_one(i);
  }
  Case facts;
  facts.connections = std::move(s.finished);
  std::sort(facts.connections.begin(), facts.connections.end(),
            [](const ConnectionFacts& a, const ConnectionFacts& b) { return a.id < b.id; });
  facts.connections_total = s.connections.size();
  facts.unmatched_icmp_errors = s.unmatched_icmp;
  s.fragments.finish(facts.paths);
  gather_paths(facts);
  facts.captures = s.witness.finish(facts);
  return facts;
}

}  // namespace slowpath::flow
