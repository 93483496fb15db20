// SPDX-License-Identifier: Apache-2.0
// The server's side of a path session: the first request of kind "path" opens it, and until the one
// with op "close" every further request belongs to it.
#include "probe/path/path_service.h"
#include "probe/served_session.h"
#include "probe/socket.h"

namespace slowpath::probe {
namespace {

using namespace std::chrono_literals;

constexpr Duration kTell = 5s;
constexpr Duration kLook = 250ms;

/// In short waits, so that a server that ends is noticed.
Result<Json> next_request(ServedSession& session) {
  const std::int64_t deadline_ns = steady_ns() + session.limits.idle.count();
  while (steady_ns() < deadline_ns && !session.stop.load()) {
    auto message = session.control.poll();
    if (!message) return std::unexpected(message.error());
    if (message->has_value()) return **std::move(message);
    wait_readable(session.control.socket(), kLook);
  }
  return fail(ErrorKind::network, "the path session was ended",
              session.stop.load() ? "the server ends" : "the client was silent");
}

}  // namespace

Result<void> answer_path(ServedSession& session, const Json& request) {
  const std::optional<Endpoint> local = local_endpoint(session.control.socket());
  if (!local) return fail(ErrorKind::network, "the control connection is gone");
  PathService service(local->address, session.client.address, session.limits.rate_bps);
  Json message = request;
  while (true) {
    const bool is_path = type_of(message) == "path";
    const bool closes = is_path && Fields(message).text_or("op", "", 20) == "close";
    const Json answer = closes    ? Json{{"type", "path"}}
                        : is_path ? service.answer(message)
                                  : error_message("path", "close the path session first");
    if (auto told = session.control.send(answer, kTell); !told || closes) return told;
    Result<Json> next = next_request(session);
    if (!next) return std::unexpected(next.error());
    message = *std::move(next);
  }
}

}  // namespace slowpath::probe
