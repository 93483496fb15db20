// SPDX-License-Identifier: Apache-2.0
// The facts of a direction, once all its packets are read.
#include <algorithm>

#include "flow/direction_analysis.h"

namespace slowpath::flow {
namespace {

RttFacts facts_of(const Sampler& samples, RttFacts known) {
  known.samples = samples.seen();
  if (samples.empty()) return known;
  known.min_s = known.min_s > 0 ? known.min_s : samples.smallest();
  const auto [median_s, p95_s] = samples.quantiles<2>({0.5, 0.95});
  known.median_s = median_s;
  known.p95_s = p95_s;
  known.max_s = std::max(known.max_s, samples.largest());
  return known;
}

}  // namespace

DirectionAnalysis::DirectionAnalysis(Direction direction, const Witness& witness,
                                     const HandshakeFacts& handshake, Time begin)
    : direction_(direction),
      segment_size_(witness.segment_size[index(direction)]),
      path_segment_size_(witness.path_segment_size[index(direction)]),
      window_shift_(witness.window_shift[1 - index(direction)]),
      begun_late_(handshake.is_missing()),
      established_(begun_late_),
      bare_field_(window_shift_, witness.scale[1 - index(direction)]) {
  facts_.vantage = witness.vantage(direction);
  facts_.segment_size = segment_size_;
  facts_.window.shift = window_shift_;
  facts_.window.knowledge = witness.scale[1 - index(direction)];
  sender_leg_min_ = witness.sender_leg(direction);
  receiver_leg_min_ = witness.sender_leg(opposite(direction));
  if (handshake.legs_known)
    facts_.rtt.handshake_s = handshake.client_leg_s + handshake.server_leg_s;
  if (facts_.rtt.handshake_s) rtt_min_s_ = srtt_s_ = *facts_.rtt.handshake_s;
  const auto& own_syn = direction == Direction::to_server ? handshake.syn : handshake.syn_ack;
  if (own_syn) {
    anchored_ = from_syn_ = true;
    anchor_sequence_ = own_syn->initial_sequence + 1;
  }
  last_event_ = begin;
  rttvar_s_ = srtt_s_ / 2;
}

std::size_t DirectionAnalysis::memory_bytes() const {
  std::size_t sum = ledger_.memory_bytes() + timeline_.memory_bytes() + stalls_.memory_bytes() +
                    passage_.memory_bytes() + trains_.memory_bytes() +
                    stamps_.capacity() * sizeof(Stamp) + receiver_ways_.memory_bytes() +
                    sender_ways_.memory_bytes() + facts_.losses.capacity() * sizeof(LossEvent);
  for (const Sampler* sampler :
       {&rtt_total_, &rtt_receiver_, &rtt_sender_, &rtt_idle_, &rtt_loaded_, &windows_,
        &round_maxima_, &reorder_late_, &spacing_, &spacing_bytes_}) {
    sum += sampler->memory_bytes();
  }
  return sum;
}

void DirectionAnalysis::on_icmp(IcmpFacts& icmp, std::uint32_t index, SeqNum quoted, Time now) {
  if (!anchored_) return;
  const std::int64_t offset = offset_of(quoted);
  icmp.largest_sent_ip_len = largest_single_ip_len_;
  icmp.sequence_in_flight = offset >= una_ && offset <= next_;
  for (const Segment& segment : ledger_.overlapping(offset, offset + 1)) {
    icmp.quoted_frame = segment.last_frame;
    icmp.quoted_frame_ip_len = segment.last_ip_len;
  }
  icmp_watch_.push_back({index, offset, now, 0, 0, {}});
}

DirectionFacts DirectionAnalysis::finish(Time end, std::vector<IcmpFacts>& icmp) {
  settle_open_end();
  settle_count_ahead(end);
  settle_probe(false);
  if (end > last_event_) account(end, Event::ended, last_frame_);
  if (rhythm_.drained()) wait_was_application(true);
  summarise_rtt();
  summarise_ways();
  summarise_flight();
  summarise_windows();
  summarise_icmp(icmp);
  facts_.sizes = sizes_.classes();
  facts_.timeline = timeline_.take();
  facts_.stalls = stalls_.take();
  facts_.passage = passage_.take(facts_.lost_packets);
  facts_.reorder.median_late_s = reorder_late_.quantile(0.5);
  // A path that doubles packets doubles resends as well: then two that came prove nothing.
  if (facts_.dsacks > 2 * facts_.spurious.packets) facts_.reorder.taken_for_lost = 0;
  std::stable_sort(facts_.losses.begin(), facts_.losses.end(),
                   [](const LossEvent& a, const LossEvent& b) { return a.time < b.time; });
  count_flights_that_lost();
  facts_.bytes =
      std::max(facts_.bytes_seen,
               facts_.data_packets > 0 ? facts_.bytes_seen + facts_.unseen_acked_bytes : 0);
  if (facts_.data_packets > 0) {
    const Time until = std::max(facts_.last_data, facts_.last_ack);
    facts_.transfer_s = to_seconds(until - facts_.first_data);
    if (facts_.transfer_s > 0)
      facts_.goodput_bps = static_cast<double>(facts_.bytes) * 8 / facts_.transfer_s;
  }
  const std::uint64_t sends = clocked_sends_ + unclocked_sends_;
  if (sends > 0)
    facts_.app_data_ready_share = static_cast<double>(clocked_sends_) / static_cast<double>(sends);
  const auto gaps_s = spacing_.quantiles<3>({0.1, 0.5, 0.9});
  facts_.spacing = {.gaps = spacing_.seen(),
                    .p10_s = gaps_s[0],
                    .median_s = gaps_s[1],
                    .p90_s = gaps_s[2],
                    .median_bytes = spacing_bytes_.quantile(0.5)};
  facts_.trains = trains_.take(segment_size_);
  bare_field_.settle(facts_);
  relabel_flat_flight();
  relabel_full_path();
  disown_half();
  return std::move(facts_);
}

// A flight of which every loss was taken back lost nothing.
void DirectionAnalysis::count_flights_that_lost() {
  const std::vector<LossEvent>& losses = facts_.losses;
  if (losses.size() != facts_.lost_packets) return;  // not all are kept
  std::vector<std::uint32_t> episodes(losses.size());
  std::ranges::transform(losses, episodes.begin(), &LossEvent::episode);
  std::ranges::sort(episodes);
  const auto doubled = std::ranges::unique(episodes);
  facts_.loss_episodes = episodes.size() - doubled.size();
}

// What is still outstanding when the capture ends: resent ranges count as lost, and a silence stays
// open.
void DirectionAnalysis::settle_open_end() {
  std::uint32_t sends_of_one = 0;
  for (const Segment& segment : ledger_.all()) {
    if (segment.sacked) {
      const bool arrived_first = segment.copies == 1 || segment.sacked_before_resend;
      if (arrived_first) settle_first_copy(segment);
      note_delivered(segment, arrived_first);
      continue;
    }
    if (segment.copies < 2) continue;
    sends_of_one = std::max(sends_of_one, segment.copies);
    if (segment.first_ip_len > 0) {
      SizeClass& size = sizes_.of(segment.first_ip_len);
      ++size.first_lost;
      note(size.lost, segment.first_frame);
    }
    if (segment.superframe && !segment.touched &&
        segment.resent_bytes + segment_size_ / 2 >= segment.len()) {
      ++facts_.superframes.lost_whole;
      ++superframe_size(segment).lost_whole;
      note(facts_.superframes.lost_frames, segment.first_frame);
    }
  }
  if (!silence_open_ || silence_sends_ == 0) return;
  Stall stall;
  stall.begin = silence_begin_;
  stall.seconds = to_seconds(last_event_ - silence_begin_);
  stall.owner = TimeOwner::timeout;
  stall.before = silence_frame_;
  stall.after = last_frame_;
  stall.outstanding_bytes =
      static_cast<std::uint64_t>(std::max<std::int64_t>(silence_outstanding_, 0));
  stall.unanswered_sends = std::max(silence_sends_ + 1, sends_of_one);
  stall.smallest_unanswered_ip_len = silence_len_min_;
  stall.largest_unanswered_ip_len = silence_len_max_;
  stall.ended = false;
  stalls_.add(stall);
}

// Towards the sender it is ACKs that leave the tap, and data that comes back.
void DirectionAnalysis::summarise_ways() {
  const WayMeter::Ways to_receiver = receiver_ways_.ways();
  facts_.ways.receiver_leg = {to_receiver.samples, to_receiver.tick_s, to_receiver.span_s,
                              to_receiver.there, to_receiver.back};
  const WayMeter::Ways to_sender = sender_ways_.ways();
  facts_.ways.sender_leg = {to_sender.samples, to_sender.tick_s, to_sender.span_s, to_sender.back,
                            to_sender.there};
}

void DirectionAnalysis::summarise_rtt() {
  RttSet& rtt = facts_.rtt;
  rtt.receiver_leg = facts_of(rtt_receiver_, rtt.receiver_leg);
  rtt.sender_leg = facts_of(rtt_sender_, rtt.sender_leg);
  const std::vector<float> total = rtt_total_.sorted();
  rtt.total = facts_of(rtt_total_, rtt.total);
  if (rtt.handshake_s && *rtt.handshake_s > 0 &&
      (rtt.total.min_s == 0 || *rtt.handshake_s < rtt.total.min_s)) {
    rtt.total.min_s = *rtt.handshake_s;
  }
  if (rtt.total.samples == 0 && rtt.handshake_s)
    rtt.total.median_s = rtt.total.p95_s = *rtt.handshake_s;
  rtt.idle_s = rtt_idle_.quantile(0.5);
  rtt.loaded_s = rtt_loaded_.quantile(0.5);
  for (std::size_t i = 0; i < rtt.quantiles_s.size(); ++i) {
    rtt.quantiles_s[i] = Sampler::quantile_of(
        total, static_cast<double>(i) / static_cast<double>(rtt.quantiles_s.size() - 1));
  }
}

namespace {

// From the median of the first third to that of the last, which lie two thirds of the series apart.
double growth_a_round(const std::vector<float>& maxima, std::uint64_t rounds_seen) {
  const std::size_t third = maxima.size() / 3;
  if (third == 0) return 0;
  const auto median_of = [](std::vector<float> values) {
    std::sort(values.begin(), values.end());
    return Sampler::quantile_of(values, 0.5);
  };
  const auto step = static_cast<std::ptrdiff_t>(third);
  const double first = median_of({maxima.begin(), maxima.begin() + step});
  const double last = median_of({maxima.end() - step, maxima.end()});
  const double rounds =
      static_cast<double>(rounds_seen) * 0.75 * 2 / 3;  // the first quarter is left out
  return (last - first) / std::max(rounds, 1.0);
}

}  // namespace

void DirectionAnalysis::summarise_flight() {
  if (round_max_ > 0) round_maxima_.add(static_cast<double>(round_max_));
  const std::vector<float>& rounds = round_maxima_.kept();
  // The first quarter is slow start; a plateau shows in the rest.
  std::vector<float> late(rounds.begin() + static_cast<std::ptrdiff_t>(rounds.size() / 4),
                          rounds.end());
  facts_.flight_growth_bytes = growth_a_round(late, round_maxima_.seen());
  const std::vector<float>& idle = round_idle_.kept();
  std::vector<float> late_idle(idle.begin() + static_cast<std::ptrdiff_t>(idle.size() / 4),
                               idle.end());
  std::sort(late_idle.begin(), late_idle.end());
  facts_.flight_idle_share = Sampler::quantile_of(late_idle, 0.5);
  std::sort(late.begin(), late.end());
  const double median = Sampler::quantile_of(late, 0.5);
  facts_.flight_plateau_bytes = static_cast<std::uint64_t>(median);
  if (median > 0) {
    facts_.flight_plateau_spread =
        (Sampler::quantile_of(late, 0.75) - Sampler::quantile_of(late, 0.25)) / median;
  }
}

void DirectionAnalysis::summarise_windows() {
  WindowFacts& window = facts_.window;
  decide_closing(std::nullopt);
  if (zero_open_ && zero_mattered_) {
    const double seconds = to_seconds(last_event_ - zero_since_);
    window.zero_at_end = true;
    ++window.zero_episodes;
    window.zero_s += seconds;
    if (seconds >= window.zero_longest_s) {
      window.zero_longest_s = seconds;
      window.zero_longest_begin = zero_frame_;
      window.zero_longest_end = last_frame_;
    }
  }
  const std::vector<float>& seen = windows_.kept();
  window.median_bytes = static_cast<std::uint64_t>(windows_.quantile(0.5));
  const double near = static_cast<double>(window.max_bytes) - static_cast<double>(segment_size_);
  const auto at_max = std::count_if(seen.begin(), seen.end(),
                                    [=](float w) { return static_cast<double>(w) >= near; });
  window.opening_s = edge_s_by_widest_.well_below(window.max_bytes);
  if (!seen.empty())
    window.at_max_share = static_cast<double>(at_max) / static_cast<double>(seen.size());
}

void DirectionAnalysis::summarise_icmp(std::vector<IcmpFacts>& icmp) {
  for (const IcmpWatch& watch : icmp_watch_) {
    IcmpFacts& facts = icmp[watch.index];
    facts.sender_shrank =
        watch.sent_after > 0 && watch.largest_after <= facts.next_hop_mtu && facts.next_hop_mtu > 0;
    facts.smaller_acknowledged = una_ > watch.offset;
    if (watch.resent) facts.resend_delay_s = to_seconds(*watch.resent - watch.time);
  }
}

}  // namespace slowpath::flow
