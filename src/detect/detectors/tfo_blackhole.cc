// SPDX-License-Identifier: Apache-2.0
// tfo-blackhole: a box drops SYNs that carry the Fast Open option or data.
// The user sees a second of waiting before connections to servers behind it open. Recognised by
// pairs of SYNs: with option 34 or payload unanswered, without them answered (RFC 7413 section
// 7.1). Look-alikes: a SYN lost by chance, a path that loses plain SYNs too (syn-blocked).
#include "detect/syn_fallback.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "tfo-blackhole";

bool is_fast_open(const SynFacts& syn) { return syn.options.has_fast_open || syn.payload_len > 0; }

void inspect(const Case& facts, Findings& findings) {
  for (const SynFallback& fallback : find_fallbacks(facts, is_fast_open)) {
    if (std::string why = fallback.contradiction(); !why.empty()) {
      silent(findings, kId, std::move(why));
      continue;
    }
    findings.list.push_back(
        describe_fallback(facts, kId, "opens fast (option 34 or data in the SYN)", fallback));
  }
}

}  // namespace

extern const Detector tfo_blackhole;
const Detector tfo_blackhole{
    .id = kId, .scope = Scope::connection, .needs = "the SYNs", .inspect = inspect};

}  // namespace slowpath::detect::detectors
