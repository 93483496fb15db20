// SPDX-License-Identifier: Apache-2.0
// `netstat -s` of Linux: sentences under the name of a protocol. What net-tools has no sentence for
// it prints as "TCPLostRetransmit: 5". Sentences with a place become nstat's names; the others are
// known by their shape (a number among words) and have none.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

struct Sentence {
  std::string_view group, words, name;  // the words, without the number, hold these
};

// net-tools statistics.c.
constexpr auto kSentences = std::to_array<Sentence>({
    {"Ip", "forwarded", "IpForwDatagrams"},
    {"Ip", "with invalid headers", "IpInHdrErrors"},
    {"Ip", "incoming packets discarded", "IpInDiscards"},
    {"Ip", "outgoing packets dropped", "IpOutDiscards"},
    {"Ip", "packet reassemblies failed", "IpReasmFails"},
    {"Ip", "reassemblies required", "IpReasmReqds"},
    {"Ip", "packets reassembled ok", "IpReasmOKs"},
    {"Ip", "fragments failed", "IpFragFails"},
    {"Ip", "fragments received ok", "IpFragOKs"},
    {"Ip", "fragments created", "IpFragCreates"},
    {"Tcp", "active connection", "TcpActiveOpens"},
    {"Tcp", "passive connection", "TcpPassiveOpens"},
    {"Tcp", "failed connection attempts", "TcpAttemptFails"},
    {"Tcp", "connection resets received", "TcpEstabResets"},
    {"Tcp", "connections established", "TcpCurrEstab"},
    {"Tcp", "segments received", "TcpInSegs"},
    {"Tcp", "segments sent out", "TcpOutSegs"},
    {"Tcp", "segments send out", "TcpOutSegs"},
    {"Tcp", "segments retrans", "TcpRetransSegs"},
    {"Tcp", "bad segments received", "TcpInErrs"},
    {"Tcp", "resets sent", "TcpOutRsts"},
    {"TcpExt", "SYN cookies sent", "TcpExtSyncookiesSent"},
    {"TcpExt", "SYN cookies received", "TcpExtSyncookiesRecv"},
    {"TcpExt", "invalid SYN cookies received", "TcpExtSyncookiesFailed"},
    {"TcpExt", "times the listen queue of a socket overflowed", "TcpExtListenOverflows"},
    {"TcpExt", "SYNs to LISTEN sockets", "TcpExtListenDrops"},
    {"TcpExt", "packets pruned from receive queue because of socket buffer overrun",
     "TcpExtPruneCalled"},
    {"TcpExt", "packets pruned from receive queue", "TcpExtRcvPruned"},
    {"TcpExt", "packets dropped from out-of-order queue", "TcpExtOfoPruned"},
    {"TcpExt", "packets collapsed in receive queue", "TcpExtTCPRcvCollapsed"},
    {"TcpExt", "TCP sockets finished time wait in fast timer", "TcpExtTW"},
    {"TcpExt", "time wait sockets recycled by time stamp", "TcpExtTWRecycled"},
    {"TcpExt", "rejected in established connections because of timestamp", "TcpExtPAWSEstab"},
    {"TcpExt", "passive connections rejected because of time stamp", "TcpExtPAWSPassive"},
    {"TcpExt", "active connections rejected because of time stamp", "TcpExtPAWSActive"},
    {"TcpExt", "delayed acks sent", "TcpExtDelayedACKs"},
    {"TcpExt", "delayed acks further delayed", "TcpExtDelayedACKLocked"},
    {"TcpExt", "Quick ack mode was activated", "TcpExtDelayedACKLost"},
    {"TcpExt", "fast retransmits", "TcpExtTCPFastRetrans"},
    {"TcpExt", "retransmits in slow start", "TcpExtTCPSlowStartRetrans"},
    {"TcpExt", "forward retransmits", "TcpExtTCPForwardRetrans"},
    {"TcpExt", "other TCP timeouts", "TcpExtTCPTimeouts"},
    {"TcpExt", "congestion windows recovered without slow start after partial ack",
     "TcpExtTCPPartialUndo"},
    {"TcpExt", "congestion windows fully recovered without slow start", "TcpExtTCPFullUndo"},
    {"TcpExt", "DSACKs sent for old packets", "TcpExtTCPDSACKOldSent"},
    {"TcpExt", "DSACKs received", "TcpExtTCPDSACKRecv"},
    {"TcpExt", "times unable to send RST due to no memory", "TcpExtTCPAbortFailed"},
    {"TcpExt", "connections aborted due to timeout", "TcpExtTCPAbortOnTimeout"},
});

/// "Ip:", "Tcp:", "TcpExt:", alone on a line that is not indented.
std::optional<std::string_view> group_of(std::string_view line) {
  constexpr auto kGroups = std::to_array<std::string_view>(
      {"Ip", "Ip6", "Icmp", "IcmpMsg", "Icmp6", "Tcp", "Udp", "UdpLite", "Udp6", "UdpLite6",
       "TcpExt", "IpExt", "Sctp", "MPTcpExt", "Dccp"});
  if (!line.ends_with(':')) return std::nullopt;
  const std::string_view name = line.substr(0, line.size() - 1);
  if (std::ranges::count(kGroups, name) == 0) return std::nullopt;
  return name;
}

bool recognises(const Output& rest) { return group_of(rest.lines.front().text).has_value(); }

/// The first number among the words; "no" is zero in old net-tools.
std::optional<std::uint64_t> number_in(const Words& words) {
  for (const std::string_view word : words) {
    if (const auto value = whole_number(word)) return value;
  }
  return std::nullopt;
}

bool read_line(std::string_view group, const Line& line, Notes& notes) {
  const Words words = words_of(line.text);
  // "TCPLostRetransmit: 5" and "InOctets: 5": the kernel's own names.
  if (words.size() == 2 && words[0].ends_with(':')) {
    const auto value = whole_number(words[1]);
    if (!value) return false;
    const std::string name(words[0].substr(0, words[0].size() - 1));
    if (group.ends_with("Ext")) notes.counter(std::string(group) + name, *value, line);
    return true;
  }
  const auto value = number_in(words);
  if (!value) return false;
  const auto found = std::ranges::find_if(kSentences, [&](const Sentence& sentence) {
    return sentence.group == group && line.text.contains(sentence.words);
  });
  if (found != kSentences.end()) notes.counter(std::string(found->name), *value, line);
  return true;
}

void read(const Output& output, Notes& notes) {
  std::string_view group;
  notes.each_line(output, [&](const Line& line) {
    if (const auto named = group_of(line.text)) {
      group = *named;
      return true;
    }
    const bool indented = line.text.front() == ' ' || line.text.front() == '\t';
    if (group.empty() || !indented) return false;
    return read_line(group, line, notes) || line.text.ends_with(':');  // "ICMP input histogram:"
  });
}

}  // namespace

namespace recognisers {
extern const Recogniser netstat_linux;
const Recogniser netstat_linux{"netstat_linux", Platform::linux, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
