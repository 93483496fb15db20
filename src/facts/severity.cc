// SPDX-License-Identifier: Apache-2.0
// The words for the severities.
#include "facts/severity.h"

#include <utility>

namespace slowpath {

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::note:
      return "note";
    case Severity::suspect:
      return "suspect";
    case Severity::fault:
      return "fault";
  }
  std::unreachable();
}

}  // namespace slowpath
