// SPDX-License-Identifier: Apache-2.0
#include "fix/qdisc_knob.h"

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "base/descriptor.h"
#include "fix/qdisc_options.h"
#include "machine/netlink.h"

namespace slowpath::fix {
namespace {

namespace netlink = machine::netlink;
using netlink::Attributes;

constexpr std::string_view kDefault = "default ", kOther = "other ";
constexpr std::string_view kNothing = "none";  // of an interface that is down
constexpr std::array<std::string_view, 4> kOurs{"fq", "fq_codel", "pfifo", "bfifo"};
// What an interface gets without anybody's doing (net/sched/sch_generic.c: attach_default_qdiscs),
// if it is none of net.core.default_qdisc.
constexpr std::array<std::string_view, 2> kOfTheKernel{"noqueue", "mq"};

/// What else a new one has: if it is another, somebody has changed it (net/sched/sch_fq.c,
/// sch_fq_codel.c). What depends on the link's MTU or differs between kernels is not looked at.
struct Fresh {
  std::string_view kind;
  unsigned attribute;
  std::uint32_t value;
};
constexpr auto kFresh = std::to_array<Fresh>({{"fq", TCA_FQ_RATE_ENABLE, 1},
                                              {"fq_codel", TCA_FQ_CODEL_FLOWS, 1024},
                                              {"fq_codel", TCA_FQ_CODEL_ECN, 1},
                                              {"fq_codel", TCA_FQ_CODEL_INTERVAL, 99'999}});

bool is_fresh(const Qdisc& qdisc) {
  const Attributes options{qdisc.options};
  return std::ranges::all_of(kFresh, [&](const Fresh& each) {
    if (each.kind != qdisc.kind) return true;
    const auto value = options.u32(each.attribute);
    // The kernel counts CoDel's times in units of its own, and loses one microsecond at most.
    return !value || *value == each.value || *value == each.value + 1;
  });
}

std::string value_of(const std::vector<Qdisc>& qdiscs) {
  const auto root = std::ranges::find(qdiscs, TC_H_ROOT, &Qdisc::parent);
  if (root == qdiscs.end()) return std::string(kDefault).append(kNothing);
  if (root->handle == kQdiscHandle && is_one_of_ours(root->kind))
    return is_fresh(*root) ? root->kind + options_beside_fresh(root->kind, root->options)
                           : "changed " + root->kind;
  if (root->handle != 0) return std::string(kOther) + root->kind;
  std::string value = std::string(kDefault) + root->kind;
  std::vector<std::string> leaves;
  for (const Qdisc& each : qdiscs) {
    if (each.parent == TC_H_ROOT || each.parent == TC_H_INGRESS) continue;
    // Under mq each queue has one; a handle of its own was given by somebody.
    const std::string leaf = (each.handle == 0 ? "" : std::string(kOther)) + each.kind;
    if (std::ranges::find(leaves, leaf) == leaves.end()) leaves.push_back(leaf);
  }
  std::ranges::sort(leaves);
  for (const std::string& leaf : leaves) value += " " + leaf;
  return value.contains(kOther) ? std::string(kOther) + root->kind : value;
}

bool is_up(const std::string& interface) {
  const Descriptor socket_of(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq question{};
  std::memcpy(question.ifr_name, interface.c_str(), std::min<std::size_t>(interface.size(), 15));
  return ioctl(socket_of.get(), SIOCGIFFLAGS, &question) == 0 && (question.ifr_flags & IFF_UP) != 0;
}

/// What the kernel would attach now is what it attached then.
Result<void> check_default(const std::string& value, const std::string& attempt) {
  const Result<std::string> made =
      this_host()->read({KnobKind::sysctl, {}, "net.core.default_qdisc"});
  std::string kind = value.substr(kDefault.size());
  if (std::ranges::find(kOfTheKernel, kind) != kOfTheKernel.end()) return {};
  if (kind.starts_with("mq ")) kind = kind.substr(3);
  // Only the first network namespace tells it; an undo looks at what came of it in any case.
  if (!made || kind == *made) return {};
  return fail(ErrorKind::usage, attempt,
              fmt::format("the kernel put '{}' there, and would put {} there now "
                          "(net.core.default_qdisc)",
                          kind, *made),
              "it could not be put back exactly: use tc(8)");
}

int ask(netlink::Socket& socket, netlink::Request& request) {
  return socket.ask(request, [](const netlink::Message&) {});
}

int make(netlink::Socket& socket, int interface, const std::string& value) {
  const std::vector<std::string> words = words_of(value);
  netlink::Request request{RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE};
  tcmsg header{};
  header.tcm_family = AF_UNSPEC;
  header.tcm_ifindex = interface;
  header.tcm_parent = TC_H_ROOT;
  header.tcm_handle = kQdiscHandle;
  request.body(header).attribute_text(TCA_KIND, words.front());
  put_qdisc_options(request, words.front(), std::span(words).subspan(1));
  return ask(socket, request);
}

/// With none at the root the kernel attaches its own again.
int take_away(netlink::Socket& socket, int interface) {
  netlink::Request request{RTM_DELQDISC, 0};
  tcmsg header{};
  header.tcm_family = AF_UNSPEC;
  header.tcm_ifindex = interface;
  header.tcm_parent = TC_H_ROOT;
  request.body(header);
  return ask(socket, request);
}

}  // namespace

bool is_one_of_ours(std::string_view kind) { return std::ranges::find(kOurs, kind) != kOurs.end(); }

Result<std::string> qdisc_value_of(std::span<const std::string> words) {
  const std::string kind = words.empty() ? std::string() : words.front();
  if (!is_one_of_ours(kind))
    return fail(ErrorKind::usage, fmt::format("cannot make the qdisc '{}'", kind),
                "only fq, fq_codel, pfifo and bfifo are made here", "use tc(8)");
  // Of a FIFO nobody could tell later whether its limit was said or came from the interface.
  if (kind.ends_with("fifo") && words.size() > 1)
    return fail(
        ErrorKind::usage, fmt::format("cannot make a {} so", kind),
        "it is made here with the interface's own queue length",
        fmt::format("'tc qdisc change dev DEV root {} limit N' is a step of its own", kind));
  const Result<std::string> options = canonical_qdisc_options(kind, words.subspan(1));
  if (!options) return std::unexpected(options.error());
  return kind + *options;
}

bool is_default_qdisc(std::string_view value) { return value.starts_with(kDefault); }

std::string qdisc_command(std::string_view interface, std::string_view value) {
  return fmt::format("tc qdisc replace dev {} root handle {:x}: {}", interface, kQdiscHandle >> 16,
                     value);
}

Result<std::string> read_qdisc(const Knob& knob) {
  const std::string attempt = "cannot read " + to_string(knob);
  const Result<QdiscsOf> all = qdiscs_of(knob.interface, attempt);
  if (!all) return std::unexpected(all.error());
  return value_of(all->list);
}

Result<void> write_qdisc(const Knob& knob, const std::string& value) {
  const std::string attempt = fmt::format("cannot set {} to '{}'", to_string(knob), value);
  if (!is_default_qdisc(value)) {
    const Result<std::string> known = qdisc_value_of(words_of(value));
    if (!known) return std::unexpected(known.error());
  }
  const Result<std::string> now = read_qdisc(knob);
  if (!now) return std::unexpected(now.error());
  if (*now == value) return {};
  if (now->starts_with(kOther))
    return fail(
        ErrorKind::usage, attempt,
        fmt::format("{} was put there by somebody else, with options that could not be put "
                    "back exactly",
                    now->substr(kOther.size())),
        fmt::format("use tc(8), and note first what 'tc qdisc show dev {}' says", knob.interface));
  // The kernel attaches its own when an interface comes up, so that before there is nothing to see.
  if (!is_up(knob.interface))
    return fail(ErrorKind::environment, attempt, "the interface is down", "bring it up first");
  if (is_default_qdisc(*now)) {
    if (const Result<void> sure = check_default(*now, attempt); !sure) return sure;
  }
  std::expected<netlink::Socket, int> socket = netlink::Socket::open(NETLINK_ROUTE);
  if (!socket) return qdisc_refused(attempt, socket.error());
  const int interface = static_cast<int>(if_nametoindex(knob.interface.c_str()));
  // One with our handle is made into no other kind in place: the kernel refuses that.
  if (!is_default_qdisc(*now)) {
    if (const int code = take_away(*socket, interface); code != 0)
      return qdisc_refused(attempt, code);
  }
  if (is_default_qdisc(value)) return {};
  if (const int code = make(*socket, interface, value); code != 0)
    return qdisc_refused(attempt, code);
  return {};
}

}  // namespace slowpath::fix
