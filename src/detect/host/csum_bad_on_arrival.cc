// SPDX-License-Identifier: Apache-2.0
// csum-bad-on-arrival: damaged frames and segments that this host counted.
#include <array>

#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kSums[] = {"TcpInCsumErrors"};
constexpr std::string_view kSegments[] = {"TcpInSegs"};
constexpr CounterRule kTcp{
    .measure = {.events = kSums,
                .of = kSegments,
                .least_count = 100,
                .least_share = 1e-5,
                .proven_share = 1e-3,
                .proven_per_s = 1},
    .claim = "TCP segments arrived with a wrong checksum",
    .why =
        "each was thrown away. If only what one sender sends is wrong, its NIC or large sends "
        "are to blame (tx-csum-offload-broken, lso-wrong-csum-seed)",
    .cost = "each one is a retransmission; one of 65 536 damaged ones passes unseen"};

// IEEE 802.3 promises one bit in 10^12: one frame in 10^8.
constexpr std::string_view kFrames[] = {"rx_crc_errors", "rx_frame_errors"};
constexpr std::string_view kPackets[] = {"rx_packets"};
constexpr CounterRule kCrc{.measure = {.events = kFrames,
                                       .of = kPackets,
                                       .least_count = 100,
                                       .least_share = 1e-6,
                                       .proven_share = 1e-3,
                                       .proven_per_s = 1},
                           .claim = "frames arrived damaged",
                           .why =
                               "a cable, plug, optic or port damages bits; also the full side of "
                               "a duplex mismatch",
                           .cost = "each one is a lost packet, and cuts its sender's window"};

bool look_at_segments(const Host& host, std::vector<HostFinding>& found) {
  return judge_counters(host, kTcp, found);
}

bool look_at_frames(const Host& host, std::vector<HostFinding>& found) {
  return judge_statistics(host, kCrc, found);
}

constexpr std::array kRules{
    HostRule{"segments-damaged", Platform::linux, "nstat -az",
             "TcpInCsumErrors is 100 or more and 0.001 % of the segments; fault from 0.1 % or one "
             "a second on",
             look_at_segments},
    HostRule{
        "frames-damaged", std::nullopt, "ip -s link, ethtool -S, esxcli network nic stats get",
        "rx_crc_errors and rx_frame_errors are 100 or more and one in a million packets; fault "
        "from 0.1 % or one a second on",
        look_at_frames},
};

}  // namespace

extern const HostFault csum_bad_on_arrival;
const HostFault csum_bad_on_arrival{"csum-bad-on-arrival", kRules};

}  // namespace slowpath::detect::host
