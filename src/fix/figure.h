// SPDX-License-Identifier: Apache-2.0
// The figure in what a measuring command printed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace slowpath::fix {

/// A figure, and whether it is a rate in bit/s or a number of which nothing more is known.
struct Figure {
  double value = 0;
  bool is_rate = false;
  bool bytes_wrong = false;  // a document of ours says so; others say it with their exit code
};

/// In this order: the rate in a JSON document of iperf3, or of `slowpath test` that of its slowest
/// flow, as a step that helps one way may do nothing for the other (bit/s); the last rate
/// with a unit, the receiver's line before others where iperf3 tells both ends (bit/s: "1.2
/// Gbits/sec", "112 MB/s"); the last number of the last line that holds one. nullopt where there is
/// none, or where a JSON document says that there was an error.
std::optional<Figure> figure_in(const std::string& output);

/// "1.2 Gbits/sec", "934 Mbit/s", "11.3MB/s", "3.1 GiB/s" at the end of the last line that holds
/// such a rate, in bit/s.
std::optional<double> last_rate_in(std::string_view output);

}  // namespace slowpath::fix
