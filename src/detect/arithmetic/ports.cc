// SPDX-License-Identifier: Apache-2.0
#include "detect/arithmetic/ports.h"

#include <limits>

namespace slowpath::arithmetic {

double connections_per_second(double ports, double time_wait_s) {
  if (time_wait_s <= 0) return std::numeric_limits<double>::infinity();
  return ports / time_wait_s;
}

}  // namespace slowpath::arithmetic
