// SPDX-License-Identifier: Apache-2.0
// How long a transfer takes when nothing goes wrong: slow start from the initial window, then the
// path's rate. The yardstick for "slow".
#pragma once

namespace slowpath::arithmetic {

/// RFC 6928: ten segments.
inline constexpr double kInitialWindowSegments = 10;

/// Round trips that slow start needs for so many bytes, without loss and without a limit: the
/// window doubles each round, so ⌈log2(1 + bytes / (IW · MSS))⌉. Zero for no bytes.
int slow_start_rounds(double bytes, double mss_bytes,
                      double initial_window_segments = kInitialWindowSegments);

/// Seconds from the first data byte sent to the last one acknowledged: rounds of doubled windows
/// until the window fills the path (rate · RTT), the rest at the rate. Handshake not counted.
double ideal_transfer_s(double bytes, double mss_bytes, double rtt_s, double rate_bps,
                        double initial_window_segments = kInitialWindowSegments);

/// Questions and answers in turn, every answer as long as the others.
struct Exchanges {
  double count = 0;
  double answer_bytes = 0;
  bool begin_anew = false;  // pauses between them close the window again (RFC 5681 section 4.1)
};

/// Seconds for all of them, questions of no length: each takes a round trip, one more for each
/// doubling that its answer needs beyond the window that those before it opened, and the rest of
/// its bytes at the rate.
double exchanges_s(const Exchanges& exchanges, double mss_bytes, double rtt_s, double rate_bps,
                   double initial_window_segments = kInitialWindowSegments);

}  // namespace slowpath::arithmetic
