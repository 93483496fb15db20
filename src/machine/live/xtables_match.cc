// SPDX-License-Identifier: Apache-2.0
#include "machine/live/xtables_match.h"

#include <linux/netfilter/xt_CT.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netfilter_ipv4/ip_tables.h>

#include <cstddef>

#include "machine/netlink.h"

namespace slowpath::machine {
namespace {

using firewall::Condition;
using firewall::Field;
using netlink::read_struct;

// The lowest bits of both are those of nf_tables (invalid, established, related, new).
constexpr std::uint64_t kSameBits =
    firewall::kInvalid | firewall::kEstablished | firewall::kRelated | firewall::kNew;

XtablesMatch states(std::uint64_t mask, bool is_negated) {
  if ((mask & ~kSameBits) != 0) return {};  // SNAT, DNAT: of translated connections
  return {
      .conditions = {{.field = Field::ct_state, .negated = is_negated, .ranges = {{mask, mask}}}},
      .is_whole = true};
}

XtablesMatch icmp(Bytes info) {
  const auto told = read_struct<ipt_icmp>(info);
  if (!told) return {};
  constexpr std::uint8_t kAny = 0xFF;
  if (told->type == kAny) return {.conditions = {}, .is_whole = true};
  const bool any_code = told->code[0] == 0 && told->code[1] == kAny;
  const bool is_negated = (told->invflags & IPT_ICMP_INV) != 0;
  if (is_negated && !any_code) return {};
  XtablesMatch match{.conditions = {{.field = Field::icmp_type,
                                     .negated = is_negated,
                                     .ranges = {{told->type, told->type}}}},
                     .is_whole = true};
  if (!any_code)
    match.conditions.push_back(
        {.field = Field::icmp_code, .ranges = {{told->code[0], told->code[1]}}});
  return match;
}

XtablesMatch conntrack(std::uint32_t revision, Bytes info) {
  std::uint32_t flags = 0, inverse = 0, mask = 0;
  if (const auto told = read_struct<xt_conntrack_mtinfo1>(info); told && revision == 1) {
    flags = told->match_flags;
    inverse = told->invert_flags;
    mask = told->state_mask;
  } else if (const auto later = read_struct<xt_conntrack_mtinfo2>(info); later && revision >= 2) {
    flags = later->match_flags;  // revision 3 only appends
    inverse = later->invert_flags;
    mask = later->state_mask;
  }
  if ((flags & XT_CONNTRACK_STATE) == 0) return {};
  XtablesMatch match = states(mask, (inverse & XT_CONNTRACK_STATE) != 0);
  constexpr std::uint32_t kStateOnly = XT_CONNTRACK_STATE | XT_CONNTRACK_STATE_ALIAS;
  match.is_whole = match.is_whole && (flags & ~kStateOnly) == 0;
  return match;
}

}  // namespace

XtablesMatch parse_xtables_match(std::string_view name, std::uint32_t revision, Bytes info) {
  if (name == "comment") return {.conditions = {}, .is_whole = true};
  if (name == "icmp" || name == "icmp6") return icmp(info);  // struct ip6t_icmp is the same
  if (name == "conntrack") return conntrack(revision, info);
  if (name == "limit")
    return {.conditions = {{.field = Field::below_rate, .ranges = {{1, 1}}}}, .is_whole = true};
  if (name == "state") {
    const auto told = read_struct<xt_state_info>(info);
    if (told) return states(told->statemask, false);
  }
  return {};
}

bool xtables_ct_untracks(Bytes info) {
  const auto flags = read_struct<std::uint16_t>(info);  // the first member of every revision
  static_assert(offsetof(xt_ct_target_info, flags) == 0);
  return flags && (*flags & XT_CT_NOTRACK) != 0;
}

}  // namespace slowpath::machine
