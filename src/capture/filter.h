// SPDX-License-Identifier: Apache-2.0
// Leaves out the frames that a tcpdump filter does not match. The language is libpcap's own.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "capture/source.h"

namespace slowpath::capture {

/// A source that shows the matching frames of another. Frame numbers and offsets stay those of the
/// file; info() is the inner source's, so its counts cover every frame read.
class FilteredSource : public Source {
 public:
  /// Frames read and not handed over.
  [[nodiscard]] virtual std::uint64_t left_out() const = 0;
  /// Why the filter cannot be applied to some link type of the capture, whose frames were all left
  /// out: libpcap's sentence. Empty when there was none.
  [[nodiscard]] virtual std::string problem() const = 0;
};

/// Error (usage): the expression does not compile for the source's first link type; libpcap's
/// sentence.
Result<std::unique_ptr<FilteredSource>> with_filter(std::unique_ptr<Source> source,
                                                    const std::string& expression);

/// Compiles the expression for Ethernet and forgets it: to refuse a wrong one before reading
/// starts.
Result<void> check_filter(const std::string& expression);

}  // namespace slowpath::capture
