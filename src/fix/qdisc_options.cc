// SPDX-License-Identifier: Apache-2.0
#include "fix/qdisc_options.h"

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "base/format.h"
#include "fix/refusal.h"

namespace slowpath::fix {
namespace {

namespace netlink = machine::netlink;
using netlink::Attributes;

constexpr std::uint32_t kNoRate = ~0U;
constexpr std::string_view kNone = "none", kBits = "bit";

// In the order in which values have them. A FIFO's limit is the interface's queue length at first.
constexpr auto kOptions = std::to_array<QdiscOption>({
    {"fq", "limit", TCA_FQ_PLIMIT, 10'000, false},
    {"fq", "flow_limit", TCA_FQ_FLOW_PLIMIT, 100, false},
    {"fq", "maxrate", TCA_FQ_FLOW_MAX_RATE, kNoRate, true},
    {"fq_codel", "limit", TCA_FQ_CODEL_LIMIT, 10 * 1024, false},
    {"codel", "limit", TCA_CODEL_LIMIT, 1000, false},
    {"pfifo", "limit", 0, std::nullopt, false},
    {"bfifo", "limit", 0, std::nullopt, false},
});

Result<std::uint32_t> parse_maxrate(std::string_view text, const std::string& attempt) {
  if (text == kNone) return kNoRate;
  if (text.ends_with("bps"))
    return fail(ErrorKind::usage, attempt, "bps are bytes to tc(8) and bits to others",
                "write it like 100mbit");
  const Result<double> bits = parse_rate(text);
  if (!bits) return std::unexpected(bits.error());
  const double bytes = *bits / 8;
  if (bytes < 1 || bytes >= kNoRate)
    return fail(ErrorKind::usage, attempt, "fq keeps 8bit to 34gbit a second");
  return static_cast<std::uint32_t>(bytes);
}

/// Runs through WORD NUMBER pairs; false where they are none or one is named twice.
template <typename Take>
bool each_pair(std::string_view kind, std::span<const std::string> words, const Take& take) {
  if (words.size() % 2 != 0) return false;
  for (std::size_t at = 0; at < words.size(); at += 2) {
    const QdiscOption* option = find_qdisc_option(kind, words[at]);
    const auto before = words.first(at);
    if (option == nullptr || std::ranges::find(before, words[at]) != before.end()) return false;
    take(*option, words[at + 1]);
  }
  return true;
}

std::optional<Qdisc> parse(const netlink::Message& message) {
  const auto header = netlink::read_struct<tcmsg>(message.payload);
  if (message.type != RTM_NEWQDISC || !header) return std::nullopt;
  const Attributes attributes = netlink::attributes_after(message.payload, sizeof(tcmsg));
  const Bytes options = attributes.find(TCA_OPTIONS).value_or(Bytes{});
  return Qdisc{header->tcm_ifindex,
               header->tcm_handle,
               header->tcm_parent,
               attributes.text(TCA_KIND),
               {options.begin(), options.end()}};
}

}  // namespace

const QdiscOption* find_qdisc_option(std::string_view kind, std::string_view word) {
  const auto found = std::ranges::find_if(kOptions, [&](const QdiscOption& option) {
    return option.kind == kind && option.word == word;
  });
  return found == kOptions.end() ? nullptr : &*found;
}

bool is_qdisc_option_word(std::string_view word) {
  return std::ranges::find(kOptions, word, &QdiscOption::word) != kOptions.end();
}

Result<std::uint32_t> parse_qdisc_number(const QdiscOption& option, std::string_view text) {
  const std::string attempt =
      fmt::format("cannot read '{}' as {} of {}", text, option.word, option.kind);
  if (option.is_rate) return parse_maxrate(text, attempt);
  std::uint32_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size() || number == 0)
    return fail(ErrorKind::usage, attempt, "it is no number above 0");
  return number;
}

std::string qdisc_number(const QdiscOption& option, std::uint32_t value) {
  if (!option.is_rate) return std::to_string(value);
  return value == kNoRate ? std::string(kNone)
                          : fmt::format("{}{}", std::uint64_t{value} * 8, kBits);
}

std::optional<std::uint32_t> read_qdisc_option(const QdiscOption& option, Bytes options) {
  if (option.attribute != 0) return Attributes{options}.u32(option.attribute);
  const auto fifo = netlink::read_struct<tc_fifo_qopt>(options);
  return fifo ? std::optional<std::uint32_t>(fifo->limit) : std::nullopt;
}

std::string options_beside_fresh(std::string_view kind, Bytes options) {
  std::string text;
  for (const QdiscOption& option : kOptions) {
    if (option.kind != kind || !option.fresh) continue;
    const auto value = read_qdisc_option(option, options);
    if (value && *value != *option.fresh)
      text += fmt::format(" {} {}", option.word, qdisc_number(option, *value));
  }
  return text;
}

Result<std::string> canonical_qdisc_options(std::string_view kind,
                                            std::span<const std::string> words) {
  std::string text;
  for (const QdiscOption& option : kOptions) {
    if (option.kind != kind) continue;
    const auto said = std::ranges::find(words, option.word);
    if (said == words.end() || said + 1 == words.end()) continue;
    const Result<std::uint32_t> value = parse_qdisc_number(option, *(said + 1));
    if (!value) return std::unexpected(value.error());
    if (!option.fresh || *value != *option.fresh)
      text += fmt::format(" {} {}", option.word, qdisc_number(option, *value));
  }
  if (!each_pair(kind, words, [](const QdiscOption&, const std::string&) {}))
    return fail(ErrorKind::usage, fmt::format("cannot make {} so", kind),
                "it has no such options, or they are said twice",
                "fq has limit, flow_limit and maxrate; fq_codel, codel, pfifo and bfifo limit");
  return text;
}

void put_qdisc_options(netlink::Request& request, std::string_view kind,
                       std::span<const std::string> words) {
  if (words.empty()) return;
  if (find_qdisc_option(kind, words[0]) != nullptr &&
      find_qdisc_option(kind, words[0])->attribute == 0) {
    const tc_fifo_qopt fifo{
        .limit = parse_qdisc_number(*find_qdisc_option(kind, words[0]), words[1]).value_or(0)};
    request.attribute(TCA_OPTIONS, std::as_bytes(std::span{&fifo, 1}));
    return;
  }
  const std::size_t nest = request.begin_nest(TCA_OPTIONS);
  each_pair(kind, words, [&](const QdiscOption& option, const std::string& number) {
    if (const auto value = parse_qdisc_number(option, number))
      request.attribute_u32(option.attribute, *value);
  });
  request.end_nest(nest);
}

Result<QdiscsOf> qdiscs_of(const std::string& interface, const std::string& attempt) {
  const auto index = static_cast<int>(if_nametoindex(interface.c_str()));
  if (index == 0) return qdisc_refused(attempt, ENODEV);
  std::expected<netlink::Socket, int> socket = netlink::Socket::open(NETLINK_ROUTE);
  if (!socket) return qdisc_refused(attempt, socket.error());
  netlink::Request request{RTM_GETQDISC, NLM_F_DUMP};
  request.body(tcmsg{});
  auto all = netlink::read_list(*socket, request, parse);
  if (!all) return qdisc_refused(attempt, all.error());
  std::erase_if(*all, [&](const Qdisc& each) { return each.interface != index; });
  return QdiscsOf{*std::move(socket), *std::move(all)};
}

std::unexpected<Error> qdisc_refused(const std::string& attempt, int code) {
  return refused_by_kernel(
      ErrorKind::environment, attempt, code,
      code == ENOENT ? "this kernel may lack the qdisc: see modprobe sch_fq, sch_fq_codel" : "");
}

}  // namespace slowpath::fix
