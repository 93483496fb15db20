// SPDX-License-Identifier: Apache-2.0
#include "fix/persist.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/assert.h"
#include "fix/interface_manager.h"
#include "fix/link_knob.h"
#include "fix/mss_clamp.h"
#include "fix/persist_route.h"
#include "fix/qdisc_knob.h"
#include "fix/rss_knob.h"

namespace slowpath::fix {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHeader =
    "# Made by slowpath fix, step {} ({}). 'slowpath fix undo {}' removes it.\n";

/// Where a unit looks for its programs.
constexpr std::array<std::string_view, 4> kUnitFolders{"/usr/sbin", "/usr/bin", "/sbin", "/bin"};

/// What sets a knob of an interface at start, by the tools that every distribution has.
std::string command_for(const Turn& turn) {
  const Knob& knob = turn.knob;
  switch (knob.kind) {
    case KnobKind::feature:
      return fmt::format("ethtool -K {} {} {}", knob.interface, knob.item, turn.after);
    case KnobKind::mtu:
      return fmt::format("ip link set dev {} mtu {}", knob.interface, turn.after);
    case KnobKind::queue_length:
      return fmt::format("ip link set dev {} txqueuelen {}", knob.interface, turn.after);
    case KnobKind::ring:
      return fmt::format("ethtool -G {} {} {}", knob.interface, knob.item, turn.after);
    case KnobKind::channels:
      return fmt::format("ethtool -L {} {} {}", knob.interface, knob.item, turn.after);
    case KnobKind::rss:
      return rss_command(knob.interface, turn.after);
    case KnobKind::qdisc:
      return qdisc_command(knob.interface, turn.after);
    case KnobKind::link:
      return link_command(knob.interface, turn.after);
    case KnobKind::qdisc_option:
    case KnobKind::sysctl:
    case KnobKind::route:
    case KnobKind::mss_clamp:
      break;
  }
  return {};
}

std::string header_for(const Entry& entry) {
  // On one line, whatever was typed: what follows is run by root.
  return fmt::format(fmt::runtime(kHeader), entry.id, single_spaced(entry.action), entry.id);
}

MadeFile sysctl_file(const Entry& entry, const std::string& root) {
  std::string content = header_for(entry);
  for (const Turn& turn : entry.turns) {
    if (turn.knob.kind == KnobKind::sysctl)
      content += fmt::format("{} = {}\n", turn.knob.item, turn.after);
  }
  return {fmt::format("{}/etc/sysctl.d/90-slowpath-{}.conf", root, entry.id), content, false};
}

/// ifupdown runs these when an interface comes up, with its name in IFACE (interfaces(5)).
MadeFile ifupdown_file(const Entry& entry, const std::string& interface, const std::string& root) {
  std::string content = "#!/bin/sh\n" + header_for(entry) +
                        fmt::format("[ \"$IFACE\" = '{}' ] || exit 0\n", interface);
  for (const Turn& turn : entry.turns) {
    if (turn.knob.interface == interface) content += command_for(turn) + "\n";
  }
  // run-parts(8) takes no dots in names.
  return {fmt::format("{}/etc/network/if-up.d/slowpath-{}", root, entry.id), content, false};
}

/// As systemd writes an interface's name in that of its device unit (systemd-escape(1)).
std::string escaped(const std::string& interface) {
  std::string text;
  for (const char c : interface) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == ':' || c == '_' || (c == '.' && !text.empty());
    text += plain ? std::string(1, c)
                  : fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return text;
}

std::vector<MadeFile> unit_files(const Entry& entry, const std::string& interface,
                                 const std::string& root) {
  const std::string device = fmt::format("sys-subsystem-net-devices-{}.device", escaped(interface));
  std::string content = header_for(entry);
  content += fmt::format(
      "[Unit]\nDescription=slowpath fix {}\nBindsTo={}\nAfter={}\n\n[Service]\nType=oneshot\n",
      entry.id, device, device);
  for (const Turn& turn : entry.turns) {
    if (turn.knob.interface == interface)
      content += fmt::format("ExecStart=/usr/bin/env PATH={} {}\n", fmt::join(kUnitFolders, ":"),
                             command_for(turn));
  }
  content += fmt::format("\n[Install]\nWantedBy={}\n", device);
  const std::string name = fmt::format("slowpath-fix-{}.service", entry.id),
                    units = root + "/etc/systemd/system/";
  // What `systemctl enable` would make; systemd takes nothing but links there.
  return {{units + name, content, false},
          {fmt::format("{}{}.wants/{}", units, device, name), "../" + name, true}};
}

bool has_systemd(const std::string& root) { return fs::is_directory(root + "/etc/systemd/system"); }

/// Whether a unit's PATH, as it stands here, leads to nft(8).
bool has_nft(const std::string& root) {
  std::error_code code;
  return std::ranges::any_of(kUnitFolders, [&](std::string_view folder) {
    return fs::exists(fmt::format("{}{}/nft", root, folder), code);
  });
}

/// nftables.service begins with an empty ruleset.
Result<std::vector<MadeFile>> clamp_files(const Entry& entry, const std::string& root) {
  const Turn& turn = entry.turns.front();
  if (turn.after != "on")
    return cannot_last(entry, "there is nothing to do at start",
                       "where an earlier step made the clamp last, undo that one");
  if (!has_systemd(root))
    return cannot_last(entry, "systemd is not here", "add the command to what loads the firewall");
  if (!has_nft(root))
    return cannot_last(entry, "nft(8) is not here, which would set it at start",
                       "install the package nftables");
  const std::string name = fmt::format("slowpath-fix-{}.service", entry.id),
                    units = root + "/etc/systemd/system/";
  const std::string content =
      header_for(entry) +
      fmt::format(
          "[Unit]\nDescription=slowpath fix {}\nAfter=nftables.service\n\n[Service]\nType=oneshot\n"
          "ExecStart=/usr/bin/env PATH={} {}\n\n[Install]\n"
          "WantedBy=multi-user.target\n",
          entry.id, fmt::join(kUnitFolders, ":"), mss_clamp_start_command(turn.knob.item));
  return std::vector<MadeFile>{{units + name, content, false},
                               {units + "multi-user.target.wants/" + name, "../" + name, true}};
}

Result<std::vector<MadeFile>> interface_files(const Entry& entry, const std::string& interface,
                                              const std::string& root) {
  // The kernel's own qdisc is there at start without anybody's doing.
  if (std::ranges::any_of(entry.turns, [](const Turn& turn) {
        return turn.knob.kind == KnobKind::qdisc && is_default_qdisc(turn.after);
      }))
    return cannot_last(entry, "there is nothing to do at start",
                       "where an earlier step made a qdisc last, undo that one");
  if (std::ranges::any_of(entry.turns, [](const Turn& turn) {
        return turn.knob.kind == KnobKind::rss && command_for(turn).empty();
      }))
    return cannot_last(entry, "ethtool(8) has no words for this table",
                       "make one that is 'equal', or write it at start by a program of your own");
  if (std::ranges::any_of(
          entry.turns, [](const Turn& turn) { return turn.knob.kind == KnobKind::qdisc_option; }))
    return cannot_last(entry, "what makes the qdisc at start is not known here",
                       "say the option there");
  if (is_ifupdowns(interface, root))
    return std::vector<MadeFile>{ifupdown_file(entry, interface, root)};
  if (has_systemd(root)) return unit_files(entry, interface, root);
  return cannot_last(entry,
                     fmt::format("ifupdown does not know {}, and systemd is not here", interface),
                     "add the command to what brings the interface up");
}

/// The files for the knobs of one kind of place; a step has one kind, as plan.h has them.
Result<std::vector<MadeFile>> files_of(Kernel& kernel, const Entry& entry, const Knob& knob,
                                       const std::string& root) {
  switch (knob.kind) {
    case KnobKind::sysctl:
      return std::vector<MadeFile>{sysctl_file(entry, root)};
    case KnobKind::route: {
      Result<MadeFile> file = route_file(kernel, entry, header_for(entry), root);
      if (!file) return std::unexpected(file.error());
      return std::vector<MadeFile>{std::move(*file)};
    }
    case KnobKind::mss_clamp:
      return clamp_files(entry, root);
    default:
      return interface_files(entry, knob.interface, root);
  }
}

}  // namespace

std::unexpected<Error> cannot_last(const Entry& entry, std::string cause, std::string hint) {
  return fail(ErrorKind::environment,
              fmt::format("cannot make '{}' last over a reboot", entry.action), std::move(cause),
              std::move(hint));
}

Result<std::vector<MadeFile>> files_for(Kernel& kernel, const Entry& entry,
                                        const std::string& root) {
  SLOWPATH_ASSERT(!entry.turns.empty());
  return files_of(kernel, entry, entry.turns.front().knob, root);
}

Result<void> persist(Kernel& kernel, Journal& journal, Entry& entry, const std::string& root) {
  Result<std::vector<MadeFile>> files = files_for(kernel, entry, root);
  if (!files) return std::unexpected(files.error());
  entry.files = std::move(*files);
  if (const Result<void> kept = journal.write(entry); !kept) return kept;
  for (const MadeFile& file : entry.files) {
    std::error_code code;
    fs::create_directories(fs::path(file.path).parent_path(), code);
    if (file.is_link) {
      fs::remove(file.path, code);
      fs::create_symlink(file.content, file.path, code);
      if (code) return fail(ErrorKind::environment, "cannot write " + file.path, code.message());
      continue;
    }
    const bool script = file.content.starts_with("#!");
    if (const Result<void> written = write_synced(file.path, file.content, script ? 0755 : 0644);
        !written)
      return written;
  }
  return {};
}

}  // namespace slowpath::fix
