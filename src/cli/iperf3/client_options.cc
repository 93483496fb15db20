// SPDX-License-Identifier: Apache-2.0
#include "cli/iperf3/client_options.h"

#include <CLI/CLI.hpp>

namespace slowpath::cli::iperf3 {
namespace {

void declare_amount(CLI::App& app, ClientOptions& options) {
  CLI::Option* time = app.add_option("-t,--time", options.seconds, "Seconds to test for (10)");
  time->check(CLI::Range(0.1, 86400.0))->type_name("S")->group("How long");
  CLI::Option* bytes =
      app.add_option("-n,--bytes", options.bytes, "Instead, bytes to move: 100M")->excludes(time);
  bytes->type_name("SIZE")->group("How long");
  app.add_option("-k,--blockcount", options.blocks, "Instead, blocks to move")
      ->excludes(time)
      ->excludes(bytes)
      ->type_name("N")
      ->group("How long");
  app.add_option("-O,--omit", options.omit_s, "Seconds at the beginning that do not count")
      ->check(CLI::Range(0.0, 60.0))
      ->type_name("S")
      ->group("How long");
  app.add_option("-i,--interval", options.interval_s, "Seconds between reports (1); 0 is none")
      ->check(CLI::Range(0.0, 60.0))
      ->type_name("S")
      ->group("How long");
}

void declare_traffic(CLI::App& app, ClientOptions& options) {
  app.add_flag("-u,--udp", options.udp, "UDP, at 1 Mbit/s if -b says nothing else")
      ->group("Traffic");
  CLI::Option* reverse = app.add_flag("-R,--reverse", options.reverse, "The server sends");
  reverse->group("Traffic");
  app.add_flag("--bidir", options.bidirectional, "Both send")->excludes(reverse)->group("Traffic");
  app.add_option("-P,--parallel", options.streams, "Streams at once (1)")
      ->check(CLI::Range(1U, probe::iperf3::kMostStreams))
      ->type_name("N")
      ->group("Traffic");
  app.add_option("-l,--length", options.block_bytes,
                 "Bytes written at once (128K; with UDP what fits a packet)")
      ->type_name("SIZE")
      ->group("Traffic");
  app.add_option("-b,--bitrate", options.rate,
                 "Rate of each stream; 0 is as fast as it goes. /N: N blocks at once, then a pause")
      ->type_name("RATE[/N]")
      ->group("Traffic");
  app.add_option("--fq-rate", options.pacing, "Rate at which the kernel paces each stream")
      ->type_name("RATE")
      ->group("Traffic");
  app.add_option("--pacing-timer", options.pacing_timer_us,
                 "No effect: blocks are timed by the nanosecond")
      ->type_name("US")
      ->group("Traffic");
  app.add_flag("-Z,--zerocopy", options.zero_copy, "Send without copying (sendfile)")
      ->group("Traffic");
  app.add_option("-F,--file", options.file,
                 "Send this file, once, instead of noise; with -R write what comes to it")
      ->type_name("FILE")
      ->group("Traffic");
  app.add_flag("--repeating-payload", options.repeating_payload, "Send digits instead of noise")
      ->group("Traffic");
}

void declare_sockets(CLI::App& app, ClientOptions& options) {
  app.add_option("-w,--window", options.window, "Socket buffers, of both ends")
      ->type_name("SIZE")
      ->group("Sockets");
  app.add_option("-M,--set-mss", options.mss, "Segment size to announce")
      ->check(CLI::Range(88U, 9216U))
      ->type_name("BYTES")
      ->group("Sockets");
  app.add_option("-C,--congestion", options.congestion, "Congestion control, of both ends")
      ->type_name("NAME")
      ->group("Sockets");
  app.add_flag("-N,--no-delay", options.no_delay, "Without Nagle's algorithm")->group("Sockets");
  CLI::Option* tos =
      app.add_option("-S,--tos", options.type_of_service, "Type of service of each packet");
  tos->check(CLI::Range(0U, 255U))->type_name("N")->group("Sockets");
  app.add_option("--dscp", options.dscp, "The same by its upper six bits, or their name: ef, af41")
      ->excludes(tos)
      ->type_name("N|NAME")
      ->group("Sockets");
  app.add_option("-L,--flowlabel", options.flow_label, "Flow label of IPv6; TCP")
      ->check(CLI::Range(1U, 0xfffffU))
      ->type_name("N")
      ->group("Sockets");
  app.add_option("--cport", options.local_port, "Our port; the next stream has the next")
      ->type_name("N")
      ->group("Sockets");
  app.add_option("--snd-timeout", options.user_timeout_ms,
                 "Milliseconds until bytes that nobody acknowledges end a connection")
      ->check(CLI::Range(1U, 86'400'000U))
      ->type_name("MS")
      ->group("Sockets");
  app.add_flag("--dont-fragment", options.dont_fragment, "UDP over IPv4 with DF")->group("Sockets");
  app.add_flag("--udp-counters-64bit", options.wide_counters, "Number datagrams with 64 bits")
      ->group("Sockets");
}

void declare_server(CLI::App& app, ClientOptions& options) {
  app.add_option("HOST", options.host, "Who runs 'iperf3 -s' or 'slowpath serve --iperf3'")
      ->required()
      ->type_name("");
  app.add_flag("--iperf3", options.iperf3, "Speak the protocol of iperf3")->group("Server");
  app.add_option("-p,--port", options.port, "Its port (5201)")->type_name("N")->group("Server");
  declare_family(app, options.shared, "Server");
  app.add_option("--connect-timeout", options.connect_timeout_ms, "Milliseconds to try (10000)")
      ->check(CLI::Range(1U, 3'600'000U))
      ->type_name("MS")
      ->group("Server");
  app.add_flag("--get-server-output", options.get_server_output, "Show what the server printed")
      ->group("Server");
  CLI::Option* user = app.add_option(
      "--username", options.user,
      "Who we are, for servers that ask; the password is $IPERF3_PASSWORD, or asked for");
  user->type_name("NAME")->group("Server");
  CLI::Option* key = app.add_option("--rsa-public-key-path", options.public_key,
                                    "The server's key, which user and password are encrypted for");
  key->needs(user)->type_name("FILE")->group("Server");
  user->needs(key);
  app.add_flag("--oaep-padding", options.oaep_padding,
               "Encrypt as iperf3 3.17 and later want it, unless told otherwise")
      ->needs(user)
      ->group("Server");
}

void declare_output(CLI::App& app, ClientOptions& options) {
  app.add_flag("-J,--json", options.json, "One JSON document with iperf3's keys")->group("Output");
  app.add_option("-T,--title", options.title, "A word of yours, in the document")
      ->type_name("TEXT")
      ->group("Output");
  app.add_option("--extra-data", options.extra_data, "More of them")
      ->type_name("TEXT")
      ->group("Output");
  app.add_flag("-q,--quiet", options.quiet, "Only the totals")->group("Output");
  app.add_option("--fail-on", options.fail_on, "Exit with 1 if a fault, or a suspect, is found")
      ->check(CLI::IsMember({"fault", "suspect"}))
      ->type_name("fault|suspect")
      ->group("Output");
}

}  // namespace

void declare_client(CLI::App& app, ClientOptions& options) {
  declare_server(app, options);
  declare_amount(app, options);
  declare_traffic(app, options);
  declare_sockets(app, options);
  declare_output(app, options);
  declare_shared(app, options.shared);
  declare_refused(
      app, options.shared,
      {{"--sctp", "SCTP is not spoken here: TCP, or UDP with -u"},
       {"-X,--xbind", "it binds SCTP, which is not spoken here: -B binds TCP and UDP", true},
       {"--nstreams", "it counts streams of SCTP, which is not spoken here: -P", true},
       {"-d,--debug", "there is no debugging output: strace or tcpdump show the rest"}});
}

}  // namespace slowpath::cli::iperf3
