// SPDX-License-Identifier: Apache-2.0
#include "probe/session.h"

#include <algorithm>

#include <fmt/format.h>

#include "probe/preamble.h"
#include "probe/secret.h"

namespace slowpath::probe {
namespace {

constexpr std::size_t kMostKinds = 64;

Result<void> check_version(Fields& hello) {
  const auto major = hello.number("major", 0, 65'535);
  if (auto read = hello.verdict(); !read) return read;
  if (major == kProtocolMajor) return {};
  return fail(ErrorKind::network, "cannot talk to the server",
              fmt::format("it speaks version {} of the protocol, this program version {}", major,
                          kProtocolMajor),
              "install the same version of slowpath at both ends");
}

}  // namespace

Result<Session> Session::open(const Target& target, const std::string& secret, Duration timeout) {
  auto socket = connect_tcp(target, {.no_delay = true}, timeout);
  if (!socket) return std::unexpected(socket.error());
  Target reached = target;
  if (const auto remote = remote_endpoint(socket->get())) {
    // A link-local address needs its interface; a name that was resolved does not.
    if (target.host.find('%') == std::string::npos) reached.host = to_string(remote->address);
  }
  Session session{std::move(reached), *std::move(socket)};
  if (auto entered = session.log_in(secret, timeout); !entered)
    return std::unexpected(entered.error());
  return session;
}

Result<void> Session::log_in(const std::string& secret, Duration timeout) {
  const auto first = encode({});
  if (auto sent = control_.send_bytes(first, timeout); !sent) return sent;
  auto hello = control_.expect("hello", timeout);
  if (!hello) return std::unexpected(hello.error());
  Fields fields{*hello};
  if (auto same = check_version(fields); !same) return same;
  const std::string server_nonce = fields.text("nonce", 64);
  const bool needs_proof = fields.flag_or("needs_proof", true);
  server_version_ = fields.text_or("version", "", 40);
  if (auto read = fields.verdict(); !read) return read;
  if (needs_proof && secret.empty())
    return fail(ErrorKind::network, "the server asks for a token", "none was given",
                "give the one that `slowpath serve` printed: --token TOKEN or $SLOWPATH_TOKEN");
  const std::string nonce = random_hex(16);
  Json login{{"type", "login"}, {"nonce", nonce}};
  if (!secret.empty()) login["proof"] = proof_of(secret, Role::client, server_nonce, nonce);
  if (auto sent = control_.send(login, timeout); !sent) return sent;
  auto welcome = control_.expect("welcome", timeout);
  if (!welcome) return std::unexpected(welcome.error());
  Fields answer{*welcome};
  id_ = answer.text("session", 32);
  const std::string proof = answer.text_or("proof", "", 64);
  limits_.most_s = answer.real_or("most_seconds", 0, 0, 1e9);
  limits_.most_rate_bps = answer.real_or("most_rate_bps", 0, 0, 1e15);
  if (auto read = answer.verdict(); !read) return read;
  if (needs_proof && !same_proof(proof, proof_of(secret, Role::server, server_nonce, nonce)))
    return fail(ErrorKind::network, "do not trust this server", "it does not know the token",
                "is this the right host?");
  if (const auto kinds = welcome->find("requests"); kinds != welcome->end() && kinds->is_array()) {
    for (const Json& each : *kinds) {
      if (each.is_string() && kinds_.size() < kMostKinds) kinds_.push_back(each.get<std::string>());
    }
  }
  control_.set_limit(kMostMessageBytes);
  return {};
}

bool Session::knows(std::string_view kind) const {
  return std::ranges::find(kinds_, kind) != kinds_.end();
}

Result<Json> Session::ask(const Json& request, std::string_view answer, Duration timeout) {
  if (auto sent = control_.send(request, timeout); !sent) return std::unexpected(sent.error());
  return control_.expect(answer, timeout);
}

Result<Descriptor> Session::open_stream(std::uint16_t number, const SocketOptions& options,
                                        Duration timeout) {
  auto socket = connect_tcp(target_, options, timeout);
  if (!socket) return socket;
  const auto first = encode({.kind = ConnectionKind::data, .stream = number, .session = id_});
  // The first bytes of a connection fit into any send buffer.
  if (::send(socket->get(), first.data(), first.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(first.size()))
    return fail(ErrorKind::network, "cannot begin a stream to " + target_.host);
  return socket;
}

}  // namespace slowpath::probe
