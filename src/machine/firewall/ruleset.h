// SPDX-License-Identifier: Apache-2.0
// The packet filter of a host, reduced to what decides whether an ICMP error or a segment of TCP
// passes: chains of rules with conditions, of which some are known for a packet and others are not.
// The readers (live netlink, `nft list ruleset`, `iptables-save`) fill it; fate.h walks it. Plain
// data; what no reader understands becomes a condition that may or may not hold, never a guess.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slowpath::machine::firewall {

/// What a condition looks at. `other` is everything that a packet in question leaves open:
/// addresses, ports, marks, sets.
enum class Field : std::uint8_t {
  family,         // 4 or 6
  protocol,       // of the transport, as in the IP header
  icmp_type,      // of ICMP or ICMPv6
  icmp_code,      //
  ct_state,       // a set of state bits, below
  in_interface,   //
  out_interface,  //
  below_rate,     // true while the limit is kept
  other,
};

// States of connection tracking as nf_tables writes them (linux/netfilter/nf_conntrack_common.h).
inline constexpr std::uint64_t kInvalid = 1, kEstablished = 2, kRelated = 4, kNew = 8,
                               kUntracked = 64;

struct Condition {
  Field field = Field::other;
  bool negated = false;
  /// Inclusive; the value is in one of them. Of ct_state: `first` of the only entry is a set of
  /// bits of which one must be set.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges = {};
  /// Of interfaces; a '*' at the end stands for anything.
  std::vector<std::string> names = {};
};

enum class Action : std::uint8_t {
  none,       // the next rule follows
  accept,     //
  drop,       // with an answer (reject) or without
  jump,       // comes back unless the chain decides
  go_to,      // does not come back
  return_,    // to where the chain was called
  uncertain,  // something that was not understood and may decide
};

struct Rule {
  std::vector<Condition> conditions;  // all must hold
  Action action = Action::none;
  std::string target;  // of jump and go_to: a chain of the same table
  /// The place of `target` among the chains, filled in by link_chains(); nothing: no such chain.
  std::optional<std::size_t> callee;
  bool clamps_mss = false;  // writes the TCP option MSS
  bool translates = false;  // writes addresses or ports: NAT
  bool untracks = false;    // keeps packets from connection tracking
  bool is_opaque = false;   // holds something that was not understood
  std::string text;         // as it was printed, or described, for evidence
};

enum class Hook : std::uint8_t { ingress, prerouting, input, forward, output, postrouting };

struct Chain {
  std::string family;  // "ip", "ip6", "inet", "netdev"; other families do not touch IP's hooks
  std::string table, name;
  std::optional<Hook> hook = {};  // nothing: only called by others
  std::int32_t priority = 0;
  bool is_nat = false;      // sees the first packet of a connection only
  bool drops_rest = false;  // policy
  std::vector<Rule> rules = {};
};

struct Ruleset {
  bool v4 = true, v6 = true;  // the families whose rules were read
  std::vector<Chain> chains;
  /// Why rules are missing here that also count; empty: none that anybody knows of.
  std::string incomplete;
};

/// Finds the chains that rules jump to. Without it no target is known.
void link_chains(Ruleset& ruleset);
/// "ip filter INPUT".
std::string name_of(const Chain& chain);
/// The number of an IP protocol's name or digits; nothing where it is another word.
std::optional<std::uint64_t> protocol_number(std::string_view word);
/// The type, and the code where the word means one, of ICMP or ICMPv6, of names and digits.
struct IcmpKind {
  std::uint64_t type = 0;
  std::optional<std::uint64_t> code;
};
std::optional<IcmpKind> icmp_kind(std::string_view word, bool is_v6);
/// The bit of a state's name in any case; nothing where it is none.
std::optional<std::uint64_t> state_bit(std::string_view word);
/// What a rule that was read as bytes says: "protocol 1, icmp type 3: drop".
std::string describe(const Rule& rule);

}  // namespace slowpath::machine::firewall
