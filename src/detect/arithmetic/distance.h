// SPDX-License-Identifier: Apache-2.0
// The least round-trip time that a distance allows.
#pragma once

namespace slowpath::arithmetic {

/// Light in glass fibre: the vacuum's 299.8 km/ms divided by a refractive index of about 1.47 is
/// 204 km/ms; 200 is the field's round figure (kilometres, not metres, a millisecond).
inline constexpr double kFibreKmPerMs = 200;

/// Seconds there and back over this many kilometres of fibre. Paths are longer than straight lines,
/// often by a half: real round trips lie above.
constexpr double rtt_floor_s(double km) { return 2 * km / kFibreKmPerMs / 1000; }

/// The farthest that a host with this round-trip time can be, in kilometres of fibre.
constexpr double farthest_km(double rtt_s) { return rtt_s * 1000 * kFibreKmPerMs / 2; }

}  // namespace slowpath::arithmetic
