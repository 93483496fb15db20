// SPDX-License-Identifier: Apache-2.0
// The options of a queueing discipline that can be set one by one, and the qdiscs of an interface
// as rtnetlink(7) lists them. Each option is one attribute that the kernel changes without touching
// the others (net/sched/sch_fq.c, sch_fq_codel.c, sch_codel.c, sch_fifo.c). In text an option is
// its word of tc(8) and a number: "limit 10000" (packets; bytes for bfifo), "maxrate 100000000bit"
// or "maxrate none".
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "machine/netlink.h"

namespace slowpath::fix {

struct QdiscOption {
  std::string_view kind, word;
  unsigned attribute;                  // 0: struct tc_fifo_qopt has it
  std::optional<std::uint32_t> fresh;  // of a new one, where that is the same on every interface
  bool is_rate;                        // kept in bytes a second, ~0 for none
};
/// The option of that word, or nullptr.
const QdiscOption* find_qdisc_option(std::string_view kind, std::string_view word);
/// Whether any kind has an option of that word.
bool is_qdisc_option_word(std::string_view word);

/// "100mbit" or "20000" as the kernel keeps it. Errors: usage.
Result<std::uint32_t> parse_qdisc_number(const QdiscOption& option, std::string_view text);
/// The reverse, as values have it.
std::string qdisc_number(const QdiscOption& option, std::uint32_t value);

/// One option out of the kernel's TCA_OPTIONS; none where it is not told.
std::optional<std::uint32_t> read_qdisc_option(const QdiscOption& option, Bytes options);
/// " limit 99 maxrate 1000bit": the options that differ from a new qdisc's, in the table's order.
std::string options_beside_fresh(std::string_view kind, Bytes options);
/// The words behind a kind ("maxrate 1mbit limit 99") as options_beside_fresh() would tell them.
/// Errors: usage.
Result<std::string> canonical_qdisc_options(std::string_view kind,
                                            std::span<const std::string> words);
/// Puts such words into a request, as its TCA_OPTIONS. They must be canonical.
void put_qdisc_options(machine::netlink::Request& request, std::string_view kind,
                       std::span<const std::string> words);

struct Qdisc {
  int interface = 0;
  std::uint32_t handle = 0, parent = 0;
  std::string kind;
  std::vector<std::byte> options;
};
struct QdiscsOf {
  machine::netlink::Socket socket;
  std::vector<Qdisc> list;
};
/// Those of one interface, and the socket that was asked. Errors: environment.
Result<QdiscsOf> qdiscs_of(const std::string& interface, const std::string& attempt);

/// What a refusal of rtnetlink means for a qdisc.
std::unexpected<Error> qdisc_refused(const std::string& attempt, int code);

}  // namespace slowpath::fix
