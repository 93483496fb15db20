// SPDX-License-Identifier: Apache-2.0
// events.jsonl: what stages did to which frame, and from when to when each of them did something.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "lab/recorder.h"

namespace slowpath::lab {
namespace {

constexpr std::size_t kBufferBytes = 1U << 20U;

struct CloseFile {
  void operator()(std::FILE* file) const { (void)std::fclose(file); }
};

/// The inside of a JSON string. Texts of stages are ASCII; other bytes are made visible as '?'.
void append_escaped(fmt::memory_buffer& line, std::string_view text) {
  for (const char c : text) {
    if (c == '"' || c == '\\') line.push_back('\\');
    line.push_back(c < ' ' || c > '~' ? '?' : c);
  }
}

struct DirectionName {
  std::string name;
  std::vector<std::string> stages;
};

}  // namespace

struct EventLog::State {
  std::string name;
  std::unique_ptr<std::FILE, CloseFile> file;
  std::vector<DirectionName> directions;
  std::vector<StageActivity> activity;
  fmt::memory_buffer line;
  std::uint64_t most = kMost, written = 0, not_listed = 0;
  int error = 0;  // errno of the first failed write

  void write_line() {
    line.push_back('\n');
    if (std::fwrite(line.data(), 1, line.size(), file.get()) != line.size() && error == 0) {
      error = errno;
    }
  }
  void note_activity(std::uint32_t direction, std::uint32_t stage, Time when);
  void put_names(std::uint32_t direction, std::uint32_t stage);
};

void EventLog::State::note_activity(std::uint32_t direction, std::uint32_t stage, Time when) {
  for (auto& each : activity) {  // a handful of stages
    if (each.direction != direction || each.stage != stage) continue;
    ++each.events;
    each.last = when;
    return;
  }
  activity.push_back(
      {.direction = direction, .stage = stage, .events = 1, .first = when, .last = when});
}

void EventLog::State::put_names(std::uint32_t direction, std::uint32_t stage) {
  fmt::format_to(std::back_inserter(line), R"("direction":")");
  const bool is_known = direction < directions.size();
  if (is_known) append_escaped(line, directions[direction].name);
  fmt::format_to(std::back_inserter(line), R"(","stage":")");
  if (is_known && stage < directions[direction].stages.size()) {
    append_escaped(line, directions[direction].stages[stage]);
  }
}

EventLog::EventLog(std::unique_ptr<State> state) : state_(std::move(state)) {}
EventLog::~EventLog() = default;

Result<std::unique_ptr<EventLog>> EventLog::open(const std::string& directory, std::uint64_t most) {
  auto state = std::make_unique<State>();
  state->most = most;
  state->name = directory + "/events.jsonl";
  state->file.reset(std::fopen(state->name.c_str(), "we"));
  if (!state->file) {
    return fail(ErrorKind::environment, "cannot create " + state->name, std::strerror(errno),
                "name a folder that you may write to");
  }
  (void)std::setvbuf(state->file.get(), nullptr, _IOFBF, kBufferBytes);
  return std::unique_ptr<EventLog>(new EventLog(std::move(state)));
}

void EventLog::name(std::uint32_t direction, std::string direction_name,
                    std::vector<std::string> stage_names) {
  auto& directions = state_->directions;
  if (directions.size() <= direction) directions.resize(direction + 1);
  directions[direction] = {std::move(direction_name), std::move(stage_names)};
}

void EventLog::happened(std::uint32_t direction, std::uint32_t stage, Time when, const Frame& frame,
                        std::string_view what, std::string_view detail) {
  auto& state = *state_;
  state.note_activity(direction, stage, when);
  if (state.written == state.most) {
    ++state.not_listed;
    return;
  }
  ++state.written;
  const auto packet = view(frame);
  state.line.clear();
  const auto out = std::back_inserter(state.line);
  fmt::format_to(out, R"({{"t_ns":{},)", to_ns(when));
  state.put_names(direction, stage);
  fmt::format_to(out, R"(","what":")");
  append_escaped(state.line, what);
  fmt::format_to(out, R"(","detail":")");
  append_escaped(state.line, detail);
  fmt::format_to(out, R"(","frame":{},"parent":{},"len":{},"gso_size":{},"ip_id":{},)", frame.id,
                 frame.parent, frame.len, frame.vnet.gso_size, packet.ip_id);
  fmt::format_to(out, R"("source_port":{},"destination_port":{},"seq":{},"payload":{}}})",
                 packet.source_port, packet.destination_port, packet.sequence, packet.payload_len);
  state.write_line();
}

std::vector<StageActivity> EventLog::activity() const { return state_->activity; }

Result<void> EventLog::close() {
  auto& state = *state_;
  if (!state.file) return {};
  if (state.not_listed > 0) {
    state.line.clear();
    fmt::format_to(std::back_inserter(state.line), R"({{"not_listed":{}}})", state.not_listed);
    state.write_line();
  }
  if (std::fclose(state.file.release()) != 0 && state.error == 0) state.error = errno;
  if (state.error == 0) return {};
  return fail(ErrorKind::environment, "cannot write " + state.name, std::strerror(state.error),
              "the file is incomplete: free space, or write it elsewhere");
}

}  // namespace slowpath::lab
