// SPDX-License-Identifier: Apache-2.0
// What a client may ask of a server: one line for each kind, whose handler is a file of its own.
#include <array>

#include "probe/served_session.h"

namespace slowpath::probe {

Result<void> answer_transfer(ServedSession& session, const Json& request);
Result<void> answer_ceiling(ServedSession& session, const Json& request);
Result<void> answer_content(ServedSession& session, const Json& request);
Result<void> answer_path(ServedSession& session, const Json& request);

std::span<const RequestKind> all_request_kinds() {
  static constexpr std::array kKinds{
      RequestKind{"transfer", answer_transfer},
      RequestKind{"ceiling", answer_ceiling},
      RequestKind{"content", answer_content},
      RequestKind{"path", answer_path},
  };
  return kKinds;
}

}  // namespace slowpath::probe
