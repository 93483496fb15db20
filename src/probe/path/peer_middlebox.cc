// SPDX-License-Identifier: Apache-2.0
#include "probe/path/peer_middlebox.h"

#include "machine/live/host_files.h"
#include "probe/path/handshake_watch.h"
#include "probe/path/negotiated.h"

namespace slowpath::probe {
namespace {

constexpr Duration kWait = std::chrono::milliseconds(500);

/// What this kernel puts into a SYN, by its settings; tells of options only.
HandshakeHeader assumed_syn() {
  const machine::HostFiles files;
  const auto is_on = [&](const char* name) {
    const std::string value = files.word(std::string("/proc/sys/net/ipv4/") + name);
    return !value.empty() && value != "0";
  };
  HandshakeHeader header;
  header.known = true;
  header.options.has_window_scale = is_on("tcp_window_scaling");
  header.options.sack_permitted = is_on("tcp_sack");
  header.options.has_timestamps = is_on("tcp_timestamps");
  return header;
}

}  // namespace

MiddleboxTest test_middlebox(PathPeer& peer) {
  MiddleboxTest test;
  const Result<Json> watching = peer.ask("watch");
  if (!watching) {
    test.unable = watching.error().message();
    return test;
  }
  if (const std::string why = Fields(*watching).text_or("missing", "", 300); !why.empty()) {
    test.missing.push_back("the SYN-ACK as it left: on the far end, " + why);
  }
  Result<HandshakeWatch> watch = HandshakeWatch::open(peer.tcp_port());
  const Result<PathPeer::Connection> connection = peer.connect(PathUse::held);
  if (!connection) {
    test.unable = connection.error().message();
    return test;
  }
  const std::uint16_t port = connection->local_port;
  const HandshakeHeader ours = negotiated_header(connection->socket.get(), true);
  if (watch) {
    test.syn_sent = read_handshake_header(watch->find(false, port, kWait));
    test.syn_ack_seen = read_handshake_header(watch->find(true, port, kWait));
  } else {
    test.missing.push_back("the SYN as it left and the SYN-ACK as it came: " +
                           watch.error().message());
  }
  if (!test.syn_sent.known) {
    test.syn_sent = assumed_syn();
    // What it offered is what it goes by now, where the other end agreed.
    test.syn_sent.options.window_scale =
        negotiated_header(connection->socket.get(), false).options.window_scale;
  }
  if (!test.syn_ack_seen.known) test.syn_ack_seen = ours;
  const Result<Json> headers = peer.ask("headers", {{"port", port}});
  if (!headers) {
    test.unable = headers.error().message();
    return test;
  }
  Fields fields(*headers);
  test.syn_seen = read_handshake_header(from_hex(fields.text_or("syn", "", 2048)));
  test.syn_ack_sent = read_handshake_header(from_hex(fields.text_or("syn_ack", "", 2048)));
  if (!test.syn_ack_sent.known) test.syn_ack_sent = negotiated_from(*headers);
  if (!test.syn_seen.known)
    test.missing.push_back("the SYN as it came: the far end did not keep it");
  return test;
}

}  // namespace slowpath::probe
