// SPDX-License-Identifier: Apache-2.0
#include "fix/qdisc_option_knob.h"

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include <fmt/format.h>

#include "fix/qdisc_options.h"
#include "machine/netlink.h"

namespace slowpath::fix {
namespace {

namespace netlink = machine::netlink;

/// The root of an interface, which has the option that the knob names.
struct Root {
  netlink::Socket socket;
  Qdisc qdisc;
  const QdiscOption* option;
};

Result<Root> find_root(const Knob& knob, const std::string& attempt) {
  Result<QdiscsOf> all = qdiscs_of(knob.interface, attempt);
  if (!all) return std::unexpected(all.error());
  const auto root = std::ranges::find(all->list, TC_H_ROOT, &Qdisc::parent);
  if (root == all->list.end() || root->handle == 0)
    return fail(ErrorKind::usage, attempt,
                "the kernel's own qdisc is there, which cannot be changed in place",
                fmt::format("'tc qdisc replace dev {} root KIND' takes its place", knob.interface));
  const QdiscOption* option = find_qdisc_option(root->kind, knob.item);
  if (option == nullptr)
    return fail(
        ErrorKind::usage, attempt,
        fmt::format("a {} is there, whose {} cannot be changed alone", root->kind, knob.item),
        "use tc(8)");
  return Root{std::move(all->socket), *root, option};
}

}  // namespace

Result<std::string> read_qdisc_option_knob(const Knob& knob) {
  const std::string attempt = "cannot read " + to_string(knob);
  const Result<Root> root = find_root(knob, attempt);
  if (!root) return std::unexpected(root.error());
  const auto value = read_qdisc_option(*root->option, root->qdisc.options);
  if (!value) return qdisc_refused(attempt, EOPNOTSUPP);
  return fmt::format("{} {}", root->qdisc.kind, qdisc_number(*root->option, *value));
}

Result<void> write_qdisc_option_knob(const Knob& knob, const std::string& value) {
  const std::string attempt = fmt::format("cannot set {} to '{}'", to_string(knob), value);
  Result<Root> root = find_root(knob, attempt);
  if (!root) return std::unexpected(root.error());
  const Qdisc& qdisc = root->qdisc;
  if (!value.starts_with(qdisc.kind + " "))
    return fail(ErrorKind::usage, attempt, fmt::format("a {} is there", qdisc.kind));
  const std::array<std::string, 2> words{knob.item, value.substr(qdisc.kind.size() + 1)};
  if (const auto number = parse_qdisc_number(*root->option, words[1]); !number)
    return std::unexpected(number.error());
  netlink::Request request{RTM_NEWQDISC, 0};
  tcmsg header{};
  header.tcm_family = AF_UNSPEC;
  header.tcm_ifindex = qdisc.interface;
  header.tcm_parent = TC_H_ROOT;
  header.tcm_handle = qdisc.handle;
  request.body(header).attribute_text(TCA_KIND, qdisc.kind);
  put_qdisc_options(request, qdisc.kind, words);
  const int code = root->socket.ask(request, [](const netlink::Message&) {});
  if (code != 0) return qdisc_refused(attempt, code);
  return {};
}

}  // namespace slowpath::fix
