// SPDX-License-Identifier: Apache-2.0
// The expressions of one rule of nf_tables, as the kernel lists them, to conditions and a verdict.
// An expression loads a field into a register, and the next one compares the register: what is
// loaded is followed from one to the other. Rules of iptables-nft hold blobs of xtables
// (linux/netfilter/x_tables.h); those of ICMP, state and targets are read. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "machine/firewall/ruleset.h"
#include "machine/netlink.h"

namespace slowpath::machine {

/// An element of a set or map; in a map with what it maps to.
struct NftElement {
  std::vector<std::byte> key;
  bool ends_interval = false;
  std::optional<firewall::Action> verdict = {};
  std::string target = {};  // of jump and go_to
};
struct NftSet {
  bool is_interval = false;
  std::vector<NftElement> elements;
};

/// What a rule refers to.
struct NftContext {
  std::string family;  // of the table: "ip", "ip6", "inet"
  /// The set of the rule's table; nothing where it was not read.
  std::function<const NftSet*(const std::string& name)> set_named;
  std::function<std::string(std::uint32_t index)> interface_name;
};

/// A verdict (NFTA_DATA_VERDICT): where it goes, and the chain of a jump.
NftElement parse_nft_verdict(const netlink::Attributes& verdict);
/// `expressions`: NFTA_RULE_EXPRESSIONS. A map of verdicts makes several rules.
std::vector<firewall::Rule> parse_nft_expressions(const netlink::Attributes& expressions,
                                                  const NftContext& context);

}  // namespace slowpath::machine
