// SPDX-License-Identifier: Apache-2.0
// Which repair each fault of the catalogue asks for: see prediction.h.
#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "detect/prediction.h"

namespace slowpath::detect {
namespace {

constexpr auto kRepairs = std::to_array<std::pair<std::string_view, Repair>>({
    // Pauses between data that otherwise flows.
    {"client-think-time", Repair::waits},
    {"delack-single-segment", Repair::acks},
    {"nagle-delack", Repair::acks},
    {"idle-nat-drop", Repair::waits},
    {"path-outage", Repair::waits},
    {"peer-gone", Repair::waits},
    {"server-think-time", Repair::waits},
    {"spurious-retransmission", Repair::waits},
    {"tail-loss", Repair::waits},
    // Turns are fewer, or shorter.
    {"app-ping-pong", Repair::turns},
    // Whatever is lost, or taken for lost, also keeps the congestion window small.
    {"congestion-self", Repair::loss},
    {"csum-bad-on-arrival", Repair::loss},
    {"cwnd-limited-noloss", Repair::loss},
    {"duplex-mismatch", Repair::loss},
    {"duplicated-packets", Repair::loss},
    {"fragments-dropped", Repair::loss},
    {"fragments-ooo-dropped", Repair::loss},
    {"gro-forward-broken", Repair::loss},
    {"icmp-bogus-mtu", Repair::loss},
    {"icmp-filtered", Repair::loss},
    {"icmp-fragneeded-coalesced", Repair::loss},
    {"jumbo-mismatch", Repair::loss},
    {"lro-on-forwarder", Repair::loss},
    {"lso-not-segmented", Repair::loss},
    {"lso-wrong-csum-seed", Repair::loss},
    {"mss-not-clamped", Repair::loss},
    {"mss-rewritten", Repair::loss},
    {"mtu-needlessly-small", Repair::loss},
    {"pmtu-stuck-low", Repair::loss},
    {"pmtud-blackhole", Repair::loss},
    {"random-loss", Repair::loss},
    {"receiver-cpu-drops", Repair::loss},
    {"reordering", Repair::loss},
    {"rto-dominated", Repair::timeouts},
    {"sack-mangled", Repair::loss},
    {"ts-broken", Repair::loss},
    {"tx-csum-offload-broken", Repair::loss},
    // Ends that hold the transfer back.
    {"app-limited-sender", Repair::sender},
    {"sender-cpu-limited", Repair::sender},
    {"sender-limited", Repair::sender},
    {"sndbuf-limited", Repair::sender},
    {"rwnd-fixed-64k", Repair::window},
    {"rwnd-limited", Repair::window},
    {"wscale-absent", Repair::window},
    {"wscale-misapplied", Repair::window},
    {"wscale-stripped", Repair::window},
    {"zero-window", Repair::reader},
    // The bottleneck stays, its queue does not.
    {"bufferbloat", Repair::nothing},
    // Data, not rate.
    {"payload-altered-csum-good", Repair::nothing},
    {"retrans-differs", Repair::nothing},
    {"rx-csum-skipped", Repair::verify},
    // The handshake, and the end.
    {"accept-queue-overflow", Repair::setup},
    {"conntrack-full", Repair::setup},
    {"paws-nat-drop", Repair::setup},
    {"rst-injected", Repair::setup},
    {"snat-exhausted", Repair::setup},
    {"syn-backlog-cookies", Repair::setup},
    {"syn-blocked", Repair::setup},
    {"tfo-blackhole", Repair::setup},
    {"timewait-syn-drop", Repair::setup},
    // What the path carries beyond the limit, or beside the others, was hardly seen.
    {"ack-path-congestion", Repair::limit},
    {"congestion-external", Repair::share},
    {"policer", Repair::limit},
    {"shaper", Repair::limit},
});

}  // namespace

Repair repair_of(std::string_view fault) {
  const auto found = std::ranges::find(kRepairs, fault, &decltype(kRepairs)::value_type::first);
  return found == kRepairs.end() ? Repair::unknown : found->second;
}

void Repairs::add(Repair repair, double seconds_lost) {
  unknown |= repair == Repair::unknown;
  waits |= repair == Repair::waits || repair == Repair::acks || repair == Repair::turns;
  turns |= repair == Repair::turns;
  loss |= repair == Repair::loss || repair == Repair::timeouts;
  sender |= repair == Repair::sender;
  window |= repair == Repair::window || repair == Repair::reader;
  verify |= repair == Repair::verify;
  limit |= repair == Repair::limit;
  share |= repair == Repair::share;
  acks_s += repair == Repair::acks ? seconds_lost : 0;
  seconds += seconds_lost;
}

}  // namespace slowpath::detect
