// SPDX-License-Identifier: Apache-2.0
#include "flow/screen/signs.h"

#include <algorithm>

namespace slowpath::flow {
namespace {

// What the detectors call material (detect/policy.h): less than both is no fault.
constexpr float kMaterialShare = 0.10F;
constexpr float kMaterialSeconds = 0.050F;
// So many losses, and this share of the segments, may have kept a congestion window small.
constexpr std::uint32_t kLosses = 5;
constexpr double kLossShare = 0.001;
constexpr float kSlowSeconds = 0.2F;
// A window is used up by so many packets, or it was chance.
constexpr std::uint32_t kAtEdge = 5;
constexpr double kAtEdgeShare = 0.05;
constexpr std::uint64_t kBulkBytes = 64U << 10;
constexpr std::uint16_t kTurns = 10;
constexpr std::uint64_t kSomePackets = 3;

class Judge {
 public:
  explicit Judge(const LightRecord& record)
      : record_(record),
        whole_s_(
            static_cast<float>(to_seconds(std::max(Duration{0}, record.last - record.first)))) {}

  LightSigns run() {
    for (std::size_t way = 0; way < 2; ++way) {
      judge_loss(way);
      judge_time(way);
    }
    judge_ends();
    judge_rest();
    return signs_;
  }

 private:
  void add(LightSign sign, float cost_s, bool grave) {
    signs_.all |= bit_of(sign);
    if (grave) signs_.grave |= bit_of(sign);
    float& cost = signs_.cost_s[static_cast<std::size_t>(sign)];
    cost = std::max(cost, cost_s);
  }
  /// Grave where it is material.
  void add_time(LightSign sign, float cost_s) { add(sign, cost_s, is_material(cost_s)); }
  [[nodiscard]] bool is_material(float cost_s) const {
    return cost_s >= kMaterialSeconds && cost_s >= kMaterialShare * whole_s_;
  }
  [[nodiscard]] float since(Time begin) const {
    return static_cast<float>(to_seconds(std::max(Duration{0}, record_.last - begin)));
  }

  void judge_loss(std::size_t way) {
    const LightDirection& data = record_.directions[way];
    const LightTrouble& trouble = record_.trouble[way];
    const bool any = trouble.resent_packets != 0 || trouble.holes != 0 || trouble.sacks != 0 ||
                     trouble.duplicate_acks >= 3;
    if (!any) return;
    const float recovery_s =
        trouble.recovery_s +
        (data.is(LightDirection::kRecovering) ? since(trouble.recovery_begin) : 0);
    // A capture at the sender sees its resends, one at the receiver the gaps as well.
    const std::uint32_t lost = std::max({trouble.resent_packets, trouble.holes, trouble.sacks});
    const bool many = lost >= kLosses && lost >= kLossShare * record_.totals[way].data_packets;
    const bool slow = many && whole_s_ >= kSlowSeconds;
    add(LightSign::retransmission,
        slow ? std::max(recovery_s, kMaterialShare * whole_s_) : recovery_s,
        slow || is_material(recovery_s));
  }

  void judge_time(std::size_t way) {
    const LightTotals& totals = record_.totals[way];
    const LightTrouble& trouble = record_.trouble[way];
    if (trouble.silence_s > 0) add_time(LightSign::silence, trouble.silence_s);
    const bool closed = record_.directions[way].is(LightDirection::kWindowClosed);
    if (trouble.closed_s > 0 || closed) {
      add_time(LightSign::zero_window,
               trouble.closed_s + (closed ? since(trouble.closed_begin) : 0));
    }
    const double edge_share =
        static_cast<double>(trouble.at_edge) / std::max(1U, totals.data_packets);
    if (trouble.at_edge >= kAtEdge && edge_share >= kAtEdgeShare) {
      add_time(LightSign::full_window,
               whole_s_ * static_cast<float>(std::min(1.0, 4 * edge_share)));
    }
    if (is_material(trouble.pause_s)) add(LightSign::pause, trouble.pause_s, false);
    if (totals.bytes >= kBulkBytes && whole_s_ >= kSlowSeconds) {
      add(LightSign::rate, whole_s_, false);
    }
  }

  void judge_ends() {
    const bool refused = record_.has_syn && !record_.has_syn_ack && record_.resets > 0;
    const bool waiting = record_.has_syn && !record_.completed;
    if (record_.syn_count > 1 || record_.syn_ack_count > 1 || waiting || refused) {
      const float cost_s = record_.completed ? record_.handshake_s : whole_s_;
      add(LightSign::handshake, cost_s, refused || is_material(cost_s));
    }
    if (record_.odd_resets > 0) add(LightSign::reset, 0, true);
    if (record_.previous != kNoRecord) add(LightSign::reuse, 0, false);
  }

  void judge_rest() {
    if (record_.icmp > 0) add(LightSign::icmp, whole_s_, true);
    if (record_.fragments > 0) add(LightSign::fragments, whole_s_, true);
    if (record_.bad_checksums > 0) add(LightSign::checksum, whole_s_, true);
    if (record_.options_differ || record_.unstamped > 0 || record_.authenticated) {
      add(LightSign::options, whole_s_, false);
    }
    const auto& [a, b] = record_.totals;
    const std::uint32_t rtt_us = std::max(a.rtt_min_us == 0xffff'ffffu ? 0 : a.rtt_min_us,
                                          b.rtt_min_us == 0xffff'ffffu ? 0 : b.rtt_min_us);
    const float turns_s =
        static_cast<float>(record_.turns) / 2 * static_cast<float>(rtt_us) * 1e-6F;
    if (record_.turns >= kTurns && is_material(turns_s)) add(LightSign::exchange, turns_s, false);
    if ((a.packets == 0) != (b.packets == 0) && record_.packets() >= kSomePackets) {
      add(LightSign::one_way, whole_s_, false);
    }
    if (record_.marked > 0) add(LightSign::marks, whole_s_, false);
    if (record_.copies > 0) add(LightSign::copies, whole_s_, false);
  }

  const LightRecord& record_;
  float whole_s_;
  LightSigns signs_;
};

}  // namespace

LightSigns judge_signs(const LightRecord& record) { return Judge(record).run(); }

}  // namespace slowpath::flow
