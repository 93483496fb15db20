// SPDX-License-Identifier: Apache-2.0
#include "cli/screening.h"

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "cli/capture_facts.h"
#include "cli/first_pass.h"
#include "cli/place.h"
#include "cli/reader.h"
#include "cli/second_pass.h"
#include "flow/capture_witness.h"
#include "flow/screen/choice.h"
#include "flow/screen/screener.h"

namespace slowpath::cli {
namespace {

// In place of a connection's number: it is not among those that were chosen.
constexpr std::uint32_t kGone = 0xffff'ffff;

/// An input after the first pass.
struct Screened {
  std::uint64_t frames = 0;    // read, before the window
  std::uint64_t left_out = 0;  // by window and filter
  capture::SourceInfo info;
  std::uint64_t last_offset = 0;  // of its last frame within the window
  std::vector<capture::PassingOver::Mark> marks;
  std::string filter_problem;
};

/// Each thread walks over all records: with so many that is most of what they do.
constexpr std::size_t kMostUseful = 4;

/// As many as there are processors, unless a number was asked for.
std::size_t threads_of(const PipelineOptions& options) {
  const std::size_t processors = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t wanted =
      options.threads == 0 ? std::min(processors, kMostUseful) : options.threads;
  return std::clamp<std::size_t>(wanted, 1, flow::Screener::kShards);
}

/// An open input of which the frames' bytes stay where they are until they were looked at.
bool is_read_twice(const Input& input) { return input.is_mapped || input.spool; }

/// What spools may take.
std::uint64_t spooled_bytes(const PipelineOptions& options, const std::vector<Input>& inputs) {
  const bool any = !std::ranges::all_of(inputs, &Input::is_mapped);
  return any ? most_spooled_bytes(options) : 0;
}

bool are_of_one_place(std::span<const Input> inputs) {
  return !inputs.empty() && std::ranges::all_of(inputs, [&](const Input& input) {
    return input.name.place == inputs.front().name.place;
  });
}

class TwoPasses {
 public:
  TwoPasses(const PipelineOptions& options, std::vector<Input>& inputs)
      : options_(options),
        inputs_(inputs),
        reader_(options, inputs, kRound, 2),
        screener_(std::in_place,
                  flow::ScreenOptions{
                      .verify_checksums = options.verify_checksums,
                      .memory_bytes = (options.memory_bytes - spooled_bytes(options, inputs)) / 2,
                      .keepers = keepers_for(inputs, threads_of(options))}) {}

  std::optional<Looked> run() {
    if (!screen_all()) return std::nullopt;
    choose();
    analyse();
    return std::move(looked_);
  }

 private:
  bool screen_all();
  bool screen(Input& input, std::uint16_t number);
  bool may_stay_mapped(const Input& input);
  void put_aside(Input& input);
  void choose();
  void make_choice();
  void analyse();
  void analyse(Input& input, std::uint16_t number, Place& place);
  [[nodiscard]] std::uint32_t number_among_all(const ConnectionFacts& connection) const;
  void number_connections(Case& facts) const;
  void count_what_was_kept();
  void describe_captures();

  const PipelineOptions& options_;
  std::vector<Input>& inputs_;
  Reader reader_;
  std::optional<flow::Screener> screener_;  // until it was chosen what to analyse
  flow::CaptureWitness witness_;            // of the first pass
  std::uint64_t unmatched_icmp_ = 0;        // likewise
  flow::Choice choice_;
  std::vector<Screened> screened_;
  Time last_ = Time::min();
  std::size_t kept_ = 0;            // spools and mappings, between the passes
  std::uint64_t kept_bytes_ = 0;    // in spools
  std::uint64_t mapped_bytes_ = 0;  // likewise
  Looked looked_;
};

bool TwoPasses::screen_all() {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (i > 0 && stop_requested()) return true;
    const std::uint64_t most = most_spooled_bytes(options_);
    inputs_[i].spool_bytes = most - std::min(most, kept_bytes_) + 1;
    if (const Result<void> opened = reopen(inputs_[i], options_.filter); !opened) return false;
    if (may_stay_mapped(inputs_[i])) keep_mapped(inputs_[i], options_.filter);
    if (!screen(inputs_[i], static_cast<std::uint16_t>(i))) return false;
  }
  return true;
}

bool TwoPasses::screen(Input& input, std::uint16_t number) {
  capture::Source& source = *input.source;
  // Files of one rotated capture follow each other; packets of two queues may be swapped.
  constexpr Duration kSlack = std::chrono::seconds{1};
  const bool follows = number == 0 || !input.has_frames || input.first.time >= last_ - kSlack;
  if (!is_read_twice(input) || !follows) return false;
  FirstPass pass(options_, inputs_, reader_, *screener_, threads_of(options_));
  const FirstSeen seen = pass.read(input, number);
  last_ = std::max(last_, seen.newest);
  if (input.spool && input.spool->overflowed()) return false;
  Screened& done = screened_.emplace_back();
  done.left_out = seen.left_out;
  done.last_offset = seen.last_offset;
  done.marks = seen.marks;
  done.info = source.info();
  done.frames = done.info.frames;
  if (input.filtered != nullptr) {
    done.frames -= input.filtered->left_out();
    done.left_out += input.filtered->left_out();
    done.filter_problem = input.filtered->problem();
  }
  put_aside(input);
  return true;
}

// Each keeps a mapping, of which the system allows 65 530 (vm.max_map_count).
constexpr std::size_t kMostKept = 4096;

// Pages are the page cache's, mapped or not; to map them twice is a tenth of the work. Of more than
// this they are given back on the way, as the system may need them.
bool TwoPasses::may_stay_mapped(const Input& input) {
  if (!input.is_mapped || kept_ >= kMostKept) return false;
  if (input.file_bytes > options_.memory_bytes - std::min(options_.memory_bytes, mapped_bytes_)) {
    return false;
  }
  ++kept_;
  mapped_bytes_ += input.file_bytes;
  return true;
}

// Closed: the next file may need its descriptor and its pages. What a spool has of it is kept if
// that is all of it.
void TwoPasses::put_aside(Input& input) {
  input.source.reset();
  input.filtered = nullptr;
  if (!input.spool) return;
  input.spool->end();
  input.spool->before_letting_go({});
  if (input.spool->is_whole() && kept_ < kMostKept) {
    ++kept_;
    kept_bytes_ += input.spool->kept();
  } else {
    input.spool.reset();
  }
}

// The light records go before the second pass takes memory of its own: both together would be more
// than was allowed.
void TwoPasses::choose() {
  make_choice();
  witness_ = screener_->witness();
  unmatched_icmp_ = screener_->unmatched_icmp();
  screener_.reset();
}

void TwoPasses::make_choice() {
  if (!options_.wanted) {
    choice_ = flow::choose(*screener_, {.largest = options_.largest});
    return;
  }
  flow::Wanted wanted;
  if (const auto* ends = std::get_if<Ends>(&*options_.wanted)) {
    bool unused = false;
    wanted.ends = wire::key_of(ends->a, ends->b, unused);
  } else {
    wanted.id = std::get<std::uint32_t>(*options_.wanted);
  }
  choice_ = flow::choose_wanted(*screener_, wanted);
}

void TwoPasses::analyse(Input& input, std::uint16_t number, Place& place) {
  if (const Result<void> opened = reopen(input, options_.filter); !opened) {
    // It was there a moment ago.
    looked_.remarks.push_back(opened.error().message());
    return;
  }
  capture::Source& source = place.add(number, std::move(input.source));
  const Screened& before = screened_[number];
  SecondPass pass(reader_, choice_, threads_of(options_));
  const SecondSeen seen =
      pass.read(input, source, number, before.frames, before.marks, place.engine());
  input.spool.reset();
  if (seen.missing != 0 || seen.last_offset != before.last_offset || input.has_changed) {
    looked_.remarks.push_back(input.name.file +
                              " changed while it was read: what is said of it "
                              "may belong to neither state; run again once it is complete");
    // Remarks are for people; whoever reads JSON is told here.
    capture::SourceInfo& info = screened_[number].info;
    info.damage.push_back({before.last_offset, 0, "the file changed while it was read"});
    ++info.damage_count;
  }
}

void TwoPasses::analyse() {
  Places places(screened_.size(), options_.verify_checksums,
                memory_beside_spools(options_, inputs_));
  Place& place = places.place_of(inputs_.front().name.place, inputs_.front().first.time);
  for (std::size_t i = 0; i < screened_.size(); ++i) {
    analyse(inputs_[i], static_cast<std::uint16_t>(i), place);
  }
  place.engine().count_with(std::move(witness_));
  place.engine().set_threads(threads_of(options_));
  looked_.facts = places.finish(screened_.size());
  number_connections(looked_.facts);
  looked_.facts.unmatched_icmp_errors = unmatched_icmp_;
  looked_.facts.connections_total = choice_.facts.connections;
  count_what_was_kept();
  if (!options_.wanted) looked_.screening = choice_.facts;
  describe_captures();
}

// That of the last chosen use of its four-tuple that had begun by then. Uses before it were let go
// by the first pass, for want of memory.
std::uint32_t TwoPasses::number_among_all(const ConnectionFacts& connection) const {
  bool unused = false;
  const std::uint64_t hash =
      wire::hash_of(wire::key_of(connection.client, connection.server, unused));
  const auto after = std::ranges::upper_bound(choice_.first_frames, connection.first_frame.packed,
                                              {}, &FrameRef::packed);
  for (auto i = static_cast<std::size_t>(after - choice_.first_frames.begin()); i-- > 0;) {
    if (choice_.hashes[i] == hash) return choice_.ids[i];
  }
  return kGone;
}

// The analysis numbered what it saw; connections are numbered among all. What it made of fragments
// of connections that were not chosen is only a part of them, and goes.
void TwoPasses::number_connections(Case& facts) const {
  std::uint32_t most = 0;
  for (const ConnectionFacts& connection : facts.connections) most = std::max(most, connection.id);
  std::vector<std::uint32_t> number(std::size_t{most} + 1, kGone);
  for (const ConnectionFacts& connection : facts.connections) {
    number[connection.id] = number_among_all(connection);
  }
  std::erase_if(facts.connections,
                [&](const ConnectionFacts& connection) { return number[connection.id] == kGone; });
  for (ConnectionFacts& connection : facts.connections) {
    connection.id = number[connection.id];
    if (connection.reuses) connection.reuses = number[*connection.reuses];
  }
  for (PathFacts& path : facts.paths) {
    for (std::uint32_t& id : path.connections) id = number[id];
    std::erase(path.connections, kGone);
  }
}

// Chosen connections that the analysis could not keep were judged by nobody.
void TwoPasses::count_what_was_kept() {
  ScreeningFacts& facts = choice_.facts;
  const auto kept = static_cast<std::uint64_t>(looked_.facts.connections.size());
  if (kept >= facts.connections_analysed) return;
  facts.grave_left += facts.connections_analysed - kept;
  facts.connections_analysed = kept;
}

void TwoPasses::describe_captures() {
  for (std::size_t i = 0; i < screened_.size(); ++i) {
    CaptureFacts& capture = looked_.facts.captures[i];
    fill_from_source(capture, inputs_[i].name, screened_[i].info);
    capture.filtered_packets += screened_[i].left_out;
    if (!screened_[i].filter_problem.empty()) {
      looked_.remarks.push_back(inputs_[i].name.file + ": " + screened_[i].filter_problem);
    }
  }
}

}  // namespace

bool is_worth_screening(const PipelineOptions& options, std::vector<Input>& inputs) {
  return may_be_screened(options) && are_of_one_place(inputs) && are_large(options, inputs);
}

bool may_begin_again(const PipelineOptions& options, std::span<const Input> inputs) {
  return may_be_screened(options) && are_of_one_place(inputs) && !stop_requested() &&
         can_begin_again(inputs);
}

std::optional<Looked> look_twice(const PipelineOptions& options, std::vector<Input>& inputs) {
  for (const Input& input : inputs) {
    if (input.source && !is_read_twice(input)) return std::nullopt;
  }
  return TwoPasses(options, inputs).run();
}

}  // namespace slowpath::cli
