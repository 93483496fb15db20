// SPDX-License-Identifier: Apache-2.0
// One run of a world, from nothing to nothing: hosts, cables, transfers, then the counts. What
// stages and recorders are is left to the world.
#include "lab/run.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "lab/address_plan.h"
#include "lab/recorder.h"

namespace slowpath::lab {
namespace {

constexpr auto kTick = std::chrono::milliseconds{50};
/// After the last transfer: what is still under way (the last FIN and its ACK) is let through and
/// recorded, until no host has sent anything for kQuiet, or for kDrain at most.
constexpr Duration kQuiet = std::chrono::milliseconds{250};
constexpr Duration kDrain = std::chrono::seconds{1};

/// A descriptor that is readable every kTick.
class Ticker {
 public:
  Ticker() : fd_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
    SLOWPATH_ASSERT(fd_ >= 0);
    const timespec every{.tv_sec = 0, .tv_nsec = std::chrono::nanoseconds{kTick}.count()};
    const itimerspec spec{.it_interval = every, .it_value = every};
    SLOWPATH_ASSERT(timerfd_settime(fd_, 0, &spec, nullptr) == 0);
  }
  ~Ticker() { close(fd_); }
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  void consume() const {
    std::uint64_t expirations = 0;
    (void)!read(fd_, &expirations, sizeof expirations);
  }

 private:
  int fd_;
};

/// Everything that exists while a world runs. Members end in reverse order: transfers before hosts.
class Running {
 public:
  Running(const World& world, const Privileges& privileges, const RunOptions& options)
      : world_(world),
        plan_(world),
        privileges_(privileges),
        options_(options),
        plane_(options.seed) {}

  Result<RunResult> go();

 private:
  Result<void> make_hosts();
  Result<void> make_links();
  Result<void> open_records();
  void observe();
  Result<void> run_commands();
  Result<void> start_transfers();
  Result<void> start_guest();
  [[nodiscard]] std::uint64_t frames_sent() const;
  bool tick();
  void note_end_of(std::size_t transfer);
  Result<void> finish_records(RunResult& result);
  void judge_soundness(RunResult& result) const;
  [[nodiscard]] std::map<std::string, std::map<std::string, std::uint64_t>> counters() const;

  const World& world_;
  AddressPlan plan_;
  const Privileges& privileges_;
  const RunOptions& options_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::unique_ptr<Recorder> recorder_;
  std::unique_ptr<EventLog> events_;
  Plane plane_;
  std::vector<std::unique_ptr<Transfer>> transfers_;
  std::vector<bool> over_;
  int guest_ = -1;
  bool guest_over_ = true;
  Ticker ticker_;
  Time began_{};
  std::optional<Time> all_over_;
  std::uint64_t frames_seen_ = 0;
  Time last_frame_{};
  bool stopped_ = false;
};

Result<void> Running::make_hosts() {
  for (const auto& spec : world_.hosts) {
    auto host = Host::make(spec, world_.ipv6);
    if (!host) return std::unexpected(host.error());
    hosts_.push_back(std::move(*host));
  }
  return {};
}

Result<void> Running::make_links() {
  for (std::uint32_t number = 0; number < world_.links.size(); ++number) {
    const auto& link = world_.links[number];
    Plane::LinkSpec spec{
        .a_name = link.a, .b_name = link.b, .a_to_b = link.a_to_b, .b_to_a = link.b_to_a};
    spec.segments_on_wire = recorder_ && recorder_->wants_wire(number);
    for (const std::uint32_t side : {1U, 2U}) {
      auto& host = *hosts_[plan_.host_index(side == 1 ? link.a : link.b)];
      auto endpoint = host.add_interface({.link = number + 1, .side = side}, privileges_);
      if (!endpoint) return std::unexpected(endpoint.error());
      (side == 1 ? spec.a : spec.b) = plane_.add_endpoint(std::move(*endpoint));
    }
    if (const auto added = plane_.add_link(std::move(spec)); !added)
      return std::unexpected(added.error());
  }
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    const auto link = plan_.default_route_link(i);
    if (!link) continue;
    if (auto added = hosts_[i]->add_default_route(*link); !added) return added;
  }
  return {};
}

Result<void> Running::open_records() {
  if (options_.directory.empty()) return {};
  auto recorder = Recorder::open(world_, options_.directory);
  if (!recorder) return std::unexpected(recorder.error());
  recorder_ = std::move(*recorder);
  auto events = EventLog::open(options_.directory);
  if (!events) return std::unexpected(events.error());
  events_ = std::move(*events);
  return {};
}

void Running::observe() {
  plane_.observe(
      recorder_.get(),
      [this](std::uint32_t direction, Viewpoint viewpoint) {
        return recorder_ && recorder_->wants(direction, viewpoint);
      },
      events_.get());
  if (!events_) return;
  std::uint32_t direction = 0;
  for (const auto& report : plane_.report()) {
    std::vector<std::string> stages;
    for (const auto& stage : report.stages) stages.push_back(stage.name);
    events_->name(direction++, report.name, std::move(stages));
  }
}

Result<void> Running::run_commands() {
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    for (const auto& command : world_.hosts[i].commands) {
      if (const auto done = hosts_[i]->run(command); !done) return std::unexpected(done.error());
    }
  }
  for (const auto& [host, command] : options_.commands) {
    const auto index = plan_.find_host(host);
    if (!index) {
      return fail(ErrorKind::usage, fmt::format("cannot run \"{}\"", command),
                  fmt::format("there is no host {}", host));
    }
    if (const auto done = hosts_[*index]->run(command); !done) return std::unexpected(done.error());
  }
  return {};
}

Result<void> Running::start_transfers() {
  for (const auto& spec : world_.transfers) {
    auto settings = spec.settings;
    const auto ends = plan_.ends(settings);
    if (!ends) return std::unexpected(ends.error());
    const auto index = transfers_.size();
    auto transfer =
        start_transfer(spec.name, std::move(settings), *hosts_[ends->client], *hosts_[ends->server],
                       ends->address, world_.ipv6, options_.seed + index);
    if (!transfer) return std::unexpected(transfer.error());
    plane_.watch((*transfer)->fd(), [this, index] {
      note_end_of(index);
      return !over_[index];
    });
    transfers_.push_back(std::move(*transfer));
    over_.push_back(false);
  }
  return {};
}

/// A shell or another program of the user's, in place of transfers.
Result<void> Running::start_guest() {
  std::vector<const Host*> hosts;
  for (const auto& host : hosts_) hosts.push_back(host.get());
  const auto fd = options_.instead_of_transfers(hosts);
  if (!fd) return std::unexpected(fd.error());
  guest_ = *fd;
  guest_over_ = false;
  plane_.watch(guest_, [this] {
    guest_over_ = true;
    return false;
  });
  return {};
}

void Running::note_end_of(std::size_t transfer) { over_[transfer] = transfers_[transfer]->poll(); }

/// By all hosts.
std::uint64_t Running::frames_sent() const {
  std::uint64_t frames = 0;
  for (std::uint32_t endpoint = 0; endpoint < 2 * world_.links.size(); ++endpoint)
    frames += plane_.endpoint_counts(endpoint).frames_received;
  return frames;
}

bool Running::tick() {
  ticker_.consume();
  const auto now = plane_.now();
  if (options_.progress) options_.progress(to_seconds(now - began_));
  if (options_.stopped && options_.stopped()) stopped_ = true;
  const bool over = guest_over_ && std::ranges::all_of(over_, [](bool each) { return each; });
  if (over && !all_over_) all_over_ = now;
  if (const auto frames = frames_sent(); frames != frames_seen_) {
    frames_seen_ = frames;
    last_frame_ = now;
  }
  const bool drained = all_over_ && (now - std::max(*all_over_, last_frame_) >= kQuiet ||
                                     now - *all_over_ >= kDrain);
  if (stopped_ || drained) {
    plane_.stop();
    return false;
  }
  return true;
}

std::map<std::string, std::map<std::string, std::uint64_t>> Running::counters() const {
  std::map<std::string, std::map<std::string, std::uint64_t>> all;
  for (const auto& host : hosts_) all[host->name()] = host->counters();
  return all;
}

Result<void> Running::finish_records(RunResult& result) {
  if (!recorder_) return {};
  auto captures = recorder_->close();
  if (!captures) return std::unexpected(captures.error());
  result.captures = std::move(*captures);
  result.activity = events_->activity();
  return events_->close();
}

/// Losses that no stage made: they would be taken for the fault's.
void Running::judge_soundness(RunResult& result) const {
  for (std::uint32_t endpoint = 0; endpoint < 2 * world_.links.size(); ++endpoint) {
    const auto& link = world_.links[endpoint / 2];
    const auto failures = plane_.endpoint_counts(endpoint).send_failures;
    if (failures == 0) continue;
    result.void_because.push_back(fmt::format("{} frames were not taken by {}", failures,
                                              endpoint % 2 == 0 ? link.a : link.b));
  }
  for (auto& [host, after] : result.counters_after) {
    const auto& before = result.counters_before[host];
    for (const auto& [name, value] : after) {
      if (!name.starts_with("eth") || !name.ends_with(".tx_dropped")) continue;
      const auto found = before.find(name);
      const auto dropped = value - (found == before.end() ? 0 : found->second);
      if (dropped == 0) continue;
      result.void_because.push_back(
          fmt::format("{} frames were dropped in the send queue of {} ({})", dropped, host, name));
    }
  }
}

Result<RunResult> Running::go() {
  using Step = Result<void> (Running::*)();
  const Step play =
      options_.instead_of_transfers ? &Running::start_guest : &Running::start_transfers;
  RunResult result;
  result.seed = options_.seed;
  result.commands = options_.commands;
  for (const Step step : {&Running::make_hosts, &Running::open_records, &Running::make_links,
                          &Running::run_commands}) {
    if (const auto done = (this->*step)(); !done) return std::unexpected(done.error());
  }
  observe();
  result.counters_before = counters();
  began_ = plane_.now();
  if (const auto done = (this->*play)(); !done) return std::unexpected(done.error());
  plane_.watch(ticker_.fd(), [this] { return tick(); });
  plane_.run();

  result.seconds = to_seconds(plane_.now() - began_);
  result.stopped = stopped_;
  if (!stopped_) {
    for (const auto& transfer : transfers_) result.transfers.push_back(transfer->take_result());
  }
  result.directions = plane_.report();
  result.lateness = plane_.lateness();
  result.counters_after = counters();
  judge_soundness(result);
  if (const auto done = finish_records(result); !done) return std::unexpected(done.error());
  return result;
}

}  // namespace

Result<RunResult> run_world(const World& world, const Privileges& privileges,
                            const RunOptions& options) {
  return Running{world, privileges, options}.go();
}

}  // namespace slowpath::lab
