// SPDX-License-Identifier: Apache-2.0
#include "flow/screen/choice.h"

#include <algorithm>
#include <bit>
#include <tuple>

#include "flow/screen/signs.h"

namespace slowpath::flow {
namespace {

// A record's place: shard and index. Fits where millions of them are sorted.
struct RecordRef {
  std::uint32_t shard = 0, index = 0;
};

// What shows nothing grave is looked at in one packet of so many: enough of them for the worst of
// each sign between many hosts, and what costs a microsecond a packet stays a small part of all.
constexpr std::uint64_t kSampleShare = 100;

/// One sign of one connection that may be analysed.
struct Candidate {
  std::uint64_t group = 0;  // host pair and sign
  FrameRef first_frame;     // settles ties
  RecordRef record;
  float cost_s = 0;
  std::uint32_t rank = 0;  // within its group, 0 = the worst
  bool grave = false;
};

/// Of the two addresses alone.
std::uint64_t hash_of_hosts(const LightRecord& record) {
  wire::EndsKey key = record.key();
  if (key.version == 4) {
    key.words[0] &= ~std::uint64_t{0xffff};
    key.words[1] &= ~std::uint64_t{0xffff};
    if (key.words[0] > key.words[1]) std::swap(key.words[0], key.words[1]);
  } else {
    key.words[4] = 0;
  }
  return wire::hash_of(key);
}

/// All uses of one four-tuple. They are analysed together or not at all, so they cost together.
struct Chain {
  std::uint32_t newest = 0;  // its record; the others are found through LightRecord::previous
  std::uint32_t uses = 1;
  std::uint64_t packets = 0;
};

/// The chains of one shard that have more than one use.
class Chains {
 public:
  explicit Chains(const LightTable& table);
  /// The one that record `i` belongs to.
  [[nodiscard]] Chain of(const LightTable& table, std::uint32_t i) const {
    if (chain_of_[i] == kNoRecord) return {.newest = i, .uses = 1, .packets = table[i].packets()};
    return chains_[chain_of_[i]];
  }

 private:
  std::vector<std::uint32_t> chain_of_;  // of each record, kNoRecord where it is the only use
  std::vector<Chain> chains_;
};

// An earlier use stands before the later one.
Chains::Chains(const LightTable& table) : chain_of_(table.size(), kNoRecord) {
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    const std::uint32_t previous = table[i].previous;
    if (previous == kNoRecord) continue;
    if (chain_of_[previous] == kNoRecord) {
      chain_of_[previous] = static_cast<std::uint32_t>(chains_.size());
      chains_.push_back({.newest = previous, .uses = 1, .packets = table[previous].packets()});
    }
    chain_of_[i] = chain_of_[previous];
    Chain& chain = chains_[chain_of_[i]];
    chain.newest = i;
    ++chain.uses;
    chain.packets += table[i].packets();
  }
}

class Chooser {
 public:
  Chooser(Screener& screener, const ChoiceBudget& budget) : screener_(screener), budget_(budget) {}

  Choice run() {
    survey();
    rank();
    take_first();
    take_largest();
    take_worst();
    take_rest();
    return finish();
  }
  Choice run(const Wanted& wanted) {
    survey();
    take_wanted(wanted);
    return finish();
  }

 private:
  LightRecord& at(RecordRef ref) { return screener_.shards()[ref.shard][ref.index]; }
  void survey();
  void survey(RecordRef ref, const LightRecord& record);
  void note_large(RecordRef ref, const LightRecord& record);
  void rank();
  bool take(RecordRef ref, std::uint64_t most_packets);
  void take_of_sample(RecordRef ref, std::uint64_t most_packets);
  void take_first();
  void take_worst();
  void take_largest();
  void take_rest();
  void take_wanted(const Wanted& wanted);
  void number_chosen();
  void take_one(LightRecord& record);
  Choice finish();

  Screener& screener_;
  ChoiceBudget budget_;
  Choice choice_;
  std::vector<Candidate> candidates_;
  struct Large {
    std::uint64_t bytes = 0;
    FrameRef first_frame;
    RecordRef record;
    // The heap's top is the least of those kept.
    friend bool operator<(const Large& a, const Large& b) {
      return std::tie(b.bytes, a.first_frame.packed) < std::tie(a.bytes, b.first_frame.packed);
    }
  };
  std::vector<Large> largest_;
  std::vector<Chains> chains_;                             // by shard
  std::vector<std::pair<FrameRef, std::uint64_t>> taken_;  // with the hash of its four-tuple
  std::uint64_t packets_ = 0;                              // of those taken
  std::uint64_t sample_ = 0;   // packets that what is not grave may have
  std::uint64_t sampled_ = 0;  // and has
  std::size_t connections_ = 0;
};

void Chooser::survey() {
  const std::span<LightTable> shards = screener_.shards();
  for (std::uint32_t shard = 0; shard < shards.size(); ++shard) {
    LightTable& table = shards[shard];
    choice_.facts.let_go += table.let_go().connections;
    choice_.facts.connections += table.let_go().connections + table.size();
    choice_.facts.packets += table.let_go().packets;
    choice_.facts.bytes += table.let_go().bytes;
    choice_.facts.grave_left += table.let_go().with_signs;
    chains_.emplace_back(table);
    for (std::uint32_t i = 0; i < table.size(); ++i) survey({shard, i}, table[i]);
  }
  std::sort(largest_.begin(), largest_.end());
  const std::uint64_t share = choice_.facts.packets / kSampleShare;
  sample_ = std::min(budget_.packets, std::max(share, budget_.least_sample_packets));
}

void Chooser::survey(RecordRef ref, const LightRecord& record) {
  choice_.facts.packets += record.packets();
  choice_.facts.bytes += record.bytes();
  note_large(ref, record);
  const LightSigns signs = judge_signs(record);
  if (signs.all == 0) return;
  choice_.facts.grave_left += signs.grave != 0;  // until it is taken
  const std::uint64_t hosts = hash_of_hosts(record);
  for (std::uint32_t left = signs.all; left != 0; left &= left - 1) {
    const auto bit = static_cast<unsigned>(std::countr_zero(left));
    SignFacts& facts = choice_.facts.signs[bit];
    const bool grave = (signs.grave >> bit & 1) != 0;
    ++facts.connections;
    facts.grave += grave;
    facts.grave_left += grave;
    candidates_.push_back({.group = hosts + bit * 0x9e3779b97f4a7c15U,
                           .first_frame = record.first_frame,
                           .record = ref,
                           .cost_s = signs.cost_s[bit],
                           .rank = 0,
                           .grave = grave});
  }
}

void Chooser::note_large(RecordRef ref, const LightRecord& record) {
  if (budget_.largest == 0) return;
  const Large large{record.bytes(), record.first_frame, ref};
  if (largest_.size() == budget_.largest) {
    if (!(large < largest_.front())) return;
    std::pop_heap(largest_.begin(), largest_.end());
    largest_.pop_back();
  }
  largest_.push_back(large);
  std::push_heap(largest_.begin(), largest_.end());
}

// The worst of each group come first, the grave ones before all others.
void Chooser::rank() {
  std::ranges::sort(candidates_, [](const Candidate& a, const Candidate& b) {
    return std::tuple(a.group, !a.grave, -a.cost_s, a.first_frame.packed) <
           std::tuple(b.group, !b.grave, -b.cost_s, b.first_frame.packed);
  });
  for (std::size_t i = 1; i < candidates_.size(); ++i) {
    if (candidates_[i].group == candidates_[i - 1].group) {
      candidates_[i].rank = candidates_[i - 1].rank + 1;
    }
  }
  std::ranges::sort(candidates_, [](const Candidate& a, const Candidate& b) {
    return std::tuple(!a.grave, a.rank, -a.cost_s, a.first_frame.packed, a.group) <
           std::tuple(!b.grave, b.rank, -b.cost_s, b.first_frame.packed, b.group);
  });
}

/// With all other uses of its four-tuple. False where that would be more than `most_packets`, or
/// more connections than may be taken: a flood of SYNs from one port, or from a few in turn.
bool Chooser::take(RecordRef ref, std::uint64_t most_packets) {
  if (at(ref).selected) return true;
  if (packets_ >= most_packets || connections_ >= budget_.connections) return false;
  const Chain chain = chains_[ref.shard].of(screener_.shards()[ref.shard], ref.index);
  if (chain.packets > most_packets - packets_) return false;
  if (chain.uses > budget_.connections - connections_) return false;
  packets_ += chain.packets;
  connections_ += chain.uses;
  for (std::uint32_t i = chain.newest; i != kNoRecord; i = at({ref.shard, i}).previous) {
    take_one(at({ref.shard, i}));
  }
  const wire::EndsKey key = at(ref).key();
  choice_.ends.add(key, wire::hash_of(key));
  return true;
}

void Chooser::take_one(LightRecord& record) {
  record.selected = true;
  taken_.emplace_back(record.first_frame, wire::hash_of(record.key()));
  ScreeningFacts& facts = choice_.facts;
  ++facts.connections_analysed;
  facts.packets_analysed += record.packets();
  const LightSigns signs = judge_signs(record);
  facts.grave_left -= signs.grave != 0;
  for (std::uint32_t left = signs.all; left != 0; left &= left - 1) {
    const auto bit = static_cast<unsigned>(std::countr_zero(left));
    ++facts.signs[bit].analysed;
    facts.signs[bit].grave_left -= signs.grave >> bit & 1;
  }
}

// The worst of all and the largest of all, whatever they cost: a capture of one long transfer is
// analysed as any other.
void Chooser::take_first() {
  constexpr std::uint64_t kAny = ~std::uint64_t{0};
  if (!largest_.empty()) (void)take(largest_.front().record, kAny);
  sampled_ = packets_;
  if (!candidates_.empty()) (void)take(candidates_.front().record, kAny);
}

/// Likewise, while the sample is no more than `most_packets`.
void Chooser::take_of_sample(RecordRef ref, std::uint64_t most_packets) {
  if (sampled_ >= most_packets) return;
  const std::uint64_t before = packets_;
  (void)take(ref, std::min(budget_.packets, packets_ + (most_packets - sampled_)));
  sampled_ += packets_ - before;
}

// Half of the sample at most: the other half is for the signs.
void Chooser::take_largest() {
  for (const Large& large : largest_) take_of_sample(large.record, sample_ / 2);
}

void Chooser::take_worst() {
  for (const Candidate& candidate : candidates_) {
    if (!candidate.grave) return;
    (void)take(candidate.record, budget_.packets);
  }
}

void Chooser::take_rest() {
  for (const Candidate& candidate : candidates_) {
    if (connections_ >= budget_.connections || sampled_ >= sample_) return;
    if (!candidate.grave) take_of_sample(candidate.record, sample_);
  }
}

void Chooser::take_wanted(const Wanted& wanted) {
  constexpr std::uint64_t kAny = ~std::uint64_t{0};
  budget_.connections = ~std::size_t{0};
  const std::span<LightTable> shards = screener_.shards();
  std::vector<std::pair<std::uint64_t, RecordRef>> order;
  for (std::uint32_t shard = 0; shard < shards.size(); ++shard) {
    for (std::uint32_t i = 0; i < shards[shard].size(); ++i) {
      const LightRecord& record = shards[shard][i];
      if (wanted.ends && record.key() == *wanted.ends) (void)take({shard, i}, kAny);
      if (wanted.id) order.emplace_back(record.first_frame.packed, RecordRef{shard, i});
    }
  }
  if (!wanted.id || *wanted.id >= order.size()) return;
  const auto nth = order.begin() + static_cast<std::ptrdiff_t>(*wanted.id);
  std::ranges::nth_element(order, nth, {}, &std::pair<std::uint64_t, RecordRef>::first);
  (void)take(nth->second, kAny);
}

// A connection's number is how many began before it.
void Chooser::number_chosen() {
  std::ranges::sort(taken_, {}, [](const auto& each) { return each.first.packed; });
  std::vector<FrameRef>& chosen = choice_.first_frames;
  for (const auto& [first_frame, hash] : taken_) {
    chosen.push_back(first_frame);
    choice_.hashes.push_back(hash);
  }
  std::vector<std::uint32_t> before(chosen.size() + 1);
  for (const LightTable& table : screener_.shards()) {
    for (std::size_t i = 0; i < table.size(); ++i) {
      const auto later =
          std::ranges::upper_bound(chosen, table[i].first_frame.packed, {}, &FrameRef::packed);
      ++before[static_cast<std::size_t>(later - chosen.begin())];
    }
  }
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    sum += before[i];
    choice_.ids.push_back(sum);
  }
}

Choice Chooser::finish() {
  number_chosen();
  choice_.facts.used = true;
  return std::move(choice_);
}

}  // namespace

Choice choose(Screener& screener, const ChoiceBudget& budget) {
  return Chooser(screener, budget).run();
}

Choice choose_wanted(Screener& screener, const Wanted& wanted) {
  return Chooser(screener, {.largest = 0}).run(wanted);
}

}  // namespace slowpath::flow
