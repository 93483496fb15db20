// SPDX-License-Identifier: Apache-2.0
#include "detect/host_silence.h"

#include <algorithm>
#include <array>

namespace slowpath::detect {
namespace {

struct Silence {
  std::string_view fault, why;
};

constexpr auto kSilences = std::to_array<Silence>({
    {"ack-path-congestion",
     "TCPAckCompressed counts this host's own thrift, not a queue on the way back; a capture shows "
     "the growth of delay each way"},
    {"app-limited-sender",
     "TCP_INFO calls every connection so that rests between two messages; a capture or `slowpath "
     "test` beside it tells whether that is the limit"},
    {"app-ping-pong", "an application's own rhythm: a capture shows it"},
    {"client-think-time", "the other end's time: a capture shows it"},
    {"congestion-external", "a queue elsewhere: a capture shows it"},
    {"corrupt-outside-network",
     "disk, memory or program: `slowpath fetch` and two captures show that the network is sound"},
    {"delack-single-segment",
     "DelayedACKs counts the useful ones too; a capture shows which one was waited for"},
    {"fragments-ooo-dropped",
     "the platform drops them before the guest counts: `slowpath test` "
     "sends fragments in both orders"},
    {"lso-wrong-csum-seed",
     "the receiver's counters are those of csum-bad-on-arrival; a capture tells whose, and which "
     "lengths"},
    {"mss-rewritten", "a box on the way: `slowpath test` compares the headers of both ends"},
    {"nagle-delack",
     "an option of each socket, which the kernel does not list; a capture shows it"},
    {"path-latency", "the way's own length: a capture or `slowpath test` measures it"},
    {"payload-altered-csum-good",
     "no counter moves (story S0): `slowpath test`, `slowpath fetch` or two captures prove it"},
    {"peer-gone", "the other end's fate: a capture shows it"},
    {"random-loss",
     "what is damaged on this host's own link is csum-bad-on-arrival; loss elsewhere "
     "shows in captures"},
    {"retrans-differs", "what a driver resends is not counted: a capture holds both copies"},
    {"rst-injected", "a counter does not say who sent a reset: a capture does"},
    {"sender-limited",
     "TCP_INFO decides it, and then the finding is sndbuf-limited, rwnd-limited or none"},
    {"server-think-time", "an application's own time: a capture shows it"},
    {"short-flow", "no fault of a host: a capture shows the size"},
    {"syn-blocked", "a firewall elsewhere, as a rule: a capture or `slowpath test` shows it"},
    {"wscale-misapplied",
     "what a firewall believes of a window is not told; its INVALID packets "
     "are conntrack-invalid"},
    {"wscale-stripped", "a box on the way: `slowpath test` compares the headers of both ends"},
});

}  // namespace

std::string_view why_no_host_rule(std::string_view fault) {
  const auto found = std::ranges::find(kSilences, fault, &Silence::fault);
  return found == kSilences.end() ? std::string_view{} : found->why;
}

}  // namespace slowpath::detect
