// SPDX-License-Identifier: Apache-2.0
// What random loss leaves of a rate, by congestion control, and the loss that a rate can bear.
// p is the share of packets lost, independent of each other and of length; rates are of TCP
// payload. BBR has no such law: it does not slow down for a loss below a few per cent.
#pragma once

namespace slowpath::arithmetic {

/// Mathis' constant for one ACK each segment, √(3/2), and for an ACK every second segment, √(3/4).
inline constexpr double kMathisAckEvery = 1.2247448713915890;
inline constexpr double kMathisDelayedAck = 0.8660254037844386;

/// Reno's most: MSS/RTT · C/√p (Mathis, Semke, Mahdavi, Ott, CCR 27(3) 1997). Good for p up to
/// about 1 % and no timeouts. Infinite without loss or round-trip time.
double mathis_rate_bps(double mss_bytes, double rtt_s, double p, double c = kMathisAckEvery);

/// The most loss at which Reno still reaches the rate: (C · MSS·8 / (RTT · rate))², at most 1.
double mathis_max_loss(double mss_bytes, double rtt_s, double rate_bps, double c = kMathisAckEvery);

/// Inputs of the PFTK model that are rarely given.
struct PftkOptions {
  double rto_s = 1.0;              // T0, the first timeout
  double max_window_segments = 0;  // Wmax; 0: no limit
  double segments_per_ack = 2;     // b; 2 with delayed ACKs
};

/// Reno with timeouts and a limited window: the full model, B(p) of Padhye, Firoiu, Towsley,
/// Kurose, SIGCOMM 1998, section 2.3. Good up to large p. The window's rate where there is no loss.
double pftk_rate_bps(double mss_bytes, double rtt_s, double p, const PftkOptions& options = {});

/// The closed approximation of the same paper, which RFC 5348 section 3.1 uses.
double pftk_simple_rate_bps(double mss_bytes, double rtt_s, double p,
                            const PftkOptions& options = {});

/// CUBIC's average window in segments: (C(3+β)/(4(1-β)))^¼ · (RTT/p)^¾ with C 0.4, β 0.7, or Reno's
/// √(3/2)/√p where that is more (RFC 9438 sections 4.3 and 5.1).
double cubic_window_segments(double rtt_s, double p);
double cubic_rate_bps(double mss_bytes, double rtt_s, double p);

/// The most loss at which CUBIC still reaches the rate.
double cubic_max_loss(double mss_bytes, double rtt_s, double rate_bps);

/// Chance that a packet of this length has a bit error: 1 - (1 - BER)^(8·length). Grows with
/// length, as queue drops do not.
double loss_from_bit_errors(double bit_error_ratio, double packet_bytes);

}  // namespace slowpath::arithmetic
