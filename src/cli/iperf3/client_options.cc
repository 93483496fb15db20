// SPDX-License-Identifier: Apache-2.0
#include "cli/iperf3/client_options.h"

#include "cli/command_line.h"

namespace slowpath::cli::iperf3 {
namespace {

void declare_amount(const CommandLine& line, ClientOptions& options) {
  const Option time = line.add_option("-t,--time", options.seconds, "Seconds to test for (10)");
  time.range(0.1, 86400.0).type_name("S").group("How long");
  const Option bytes =
      line.add_option("-n,--bytes", options.bytes, "Instead, bytes to move: 100M").excludes(time);
  bytes.type_name("SIZE").group("How long");
  line.add_option("-k,--blockcount", options.blocks, "Instead, blocks to move")
      .excludes(time)
      .excludes(bytes)
      .type_name("N")
      .group("How long");
  line.add_option("-O,--omit", options.omit_s, "Seconds at the beginning that do not count")
      .range(0.0, 60.0)
      .type_name("S")
      .group("How long");
  line.add_option("-i,--interval", options.interval_s, "Seconds between reports (1); 0 is none")
      .range(0.0, 60.0)
      .type_name("S")
      .group("How long");
}

void declare_traffic(const CommandLine& line, ClientOptions& options) {
  line.add_flag("-u,--udp", options.udp, "UDP, at 1 Mbit/s if -b says nothing else")
      .group("Traffic");
  const Option reverse = line.add_flag("-R,--reverse", options.reverse, "The server sends");
  reverse.group("Traffic");
  line.add_flag("--bidir", options.bidirectional, "Both send").excludes(reverse).group("Traffic");
  line.add_option("-P,--parallel", options.streams, "Streams at once (1)")
      .range(1U, probe::iperf3::kMostStreams)
      .type_name("N")
      .group("Traffic");
  line.add_option("-l,--length", options.block_bytes,
                  "Bytes written at once (128K; with UDP what fits a packet)")
      .type_name("SIZE")
      .group("Traffic");
  line.add_option(
          "-b,--bitrate", options.rate,
          "Rate of each stream; 0 is as fast as it goes. /N: N blocks at once, then a pause")
      .type_name("RATE[/N]")
      .group("Traffic");
  line.add_option("--fq-rate", options.pacing, "Rate at which the kernel paces each stream")
      .type_name("RATE")
      .group("Traffic");
  line.add_option("--pacing-timer", options.pacing_timer_us,
                  "No effect: blocks are timed by the nanosecond")
      .type_name("US")
      .group("Traffic");
  line.add_flag("-Z,--zerocopy", options.zero_copy, "Send without copying (sendfile)")
      .group("Traffic");
  line.add_option("-F,--file", options.file,
                  "Send this file, once, instead of noise; with -R write what comes to it")
      .type_name("FILE")
      .group("Traffic");
  line.add_flag("--repeating-payload", options.repeating_payload, "Send digits instead of noise")
      .group("Traffic");
}

void declare_sockets(const CommandLine& line, ClientOptions& options) {
  line.add_option("-w,--window", options.window, "Socket buffers, of both ends")
      .type_name("SIZE")
      .group("Sockets");
  line.add_option("-M,--set-mss", options.mss, "Segment size to announce")
      .range(88U, 9216U)
      .type_name("BYTES")
      .group("Sockets");
  line.add_option("-C,--congestion", options.congestion, "Congestion control, of both ends")
      .type_name("NAME")
      .group("Sockets");
  line.add_flag("-N,--no-delay", options.no_delay, "Without Nagle's algorithm").group("Sockets");
  const Option tos =
      line.add_option("-S,--tos", options.type_of_service, "Type of service of each packet");
  tos.range(0U, 255U).type_name("N").group("Sockets");
  line.add_option("--dscp", options.dscp, "The same by its upper six bits, or their name: ef, af41")
      .excludes(tos)
      .type_name("N|NAME")
      .group("Sockets");
  line.add_option("-L,--flowlabel", options.flow_label, "Flow label of IPv6; TCP")
      .range(1U, 0xfffffU)
      .type_name("N")
      .group("Sockets");
  line.add_option("--cport", options.local_port, "Our port; the next stream has the next")
      .type_name("N")
      .group("Sockets");
  line.add_option("--snd-timeout", options.user_timeout_ms,
                  "Milliseconds until bytes that nobody acknowledges end a connection")
      .range(1U, 86'400'000U)
      .type_name("MS")
      .group("Sockets");
  line.add_flag("--dont-fragment", options.dont_fragment, "UDP over IPv4 with DF").group("Sockets");
  line.add_flag("--udp-counters-64bit", options.wide_counters, "Number datagrams with 64 bits")
      .group("Sockets");
}

void declare_server(const CommandLine& line, ClientOptions& options) {
  line.add_option("HOST", options.host, "Who runs 'iperf3 -s' or 'slowpath serve --iperf3'")
      .required()
      .type_name("");
  line.add_flag("--iperf3", options.iperf3, "Speak the protocol of iperf3").group("Server");
  line.add_option("-p,--port", options.port, "Its port (5201)").type_name("N").group("Server");
  declare_family(line, options.shared, "Server");
  line.add_option("--connect-timeout", options.connect_timeout_ms, "Milliseconds to try (10000)")
      .range(1U, 3'600'000U)
      .type_name("MS")
      .group("Server");
  line.add_flag("--get-server-output", options.get_server_output, "Show what the server printed")
      .group("Server");
  const Option user = line.add_option(
      "--username", options.user,
      "Who we are, for servers that ask; the password is $IPERF3_PASSWORD, or asked for");
  user.type_name("NAME").group("Server");
  const Option key = line.add_option("--rsa-public-key-path", options.public_key,
                                     "The server's key, which user and password are encrypted for");
  key.needs(user).type_name("FILE").group("Server");
  user.needs(key);
  line.add_flag("--oaep-padding", options.oaep_padding,
                "Encrypt as iperf3 3.17 and later want it, unless told otherwise")
      .needs(user)
      .group("Server");
}

void declare_output(const CommandLine& line, ClientOptions& options) {
  line.add_flag("-J,--json", options.json, "One JSON document with iperf3's keys").group("Output");
  line.add_option("-T,--title", options.title, "A word of yours, in the document")
      .type_name("TEXT")
      .group("Output");
  line.add_option("--extra-data", options.extra_data, "More of them")
      .type_name("TEXT")
      .group("Output");
  line.add_flag("-q,--quiet", options.quiet, "Only the totals").group("Output");
  line.add_option("--fail-on", options.fail_on, "Exit with 1 if a fault, or a suspect, is found")
      .one_of({"fault", "suspect"})
      .type_name("fault|suspect")
      .group("Output");
}

}  // namespace

void declare_client(const CommandLine& line, ClientOptions& options) {
  declare_server(line, options);
  declare_amount(line, options);
  declare_traffic(line, options);
  declare_sockets(line, options);
  declare_output(line, options);
  declare_shared(line, options.shared);
  declare_refused(
      line, options.shared,
      {{"--sctp", "SCTP is not spoken here: TCP, or UDP with -u"},
       {"-X,--xbind", "it binds SCTP, which is not spoken here: -B binds TCP and UDP", true},
       {"--nstreams", "it counts streams of SCTP, which is not spoken here: -P", true},
       {"-d,--debug", "there is no debugging output: strace or tcpdump show the rest"}});
}

}  // namespace slowpath::cli::iperf3
