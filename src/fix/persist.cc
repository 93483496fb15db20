// SPDX-License-Identifier: Apache-2.0
#include "fix/persist.h"

#include <filesystem>
#include <utility>

#include <fmt/format.h>

namespace slowpath::fix {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHeader =
    "# Made by slowpath fix, step {} ({}). 'slowpath fix undo {}' removes it.\n";

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
    case KnobKind::sysctl:
    case KnobKind::route:
      break;
  }
  return {};
}

std::string header_for(const Entry& entry) {
  return fmt::format(fmt::runtime(kHeader), entry.id, entry.action, entry.id);
}

MadeFile sysctl_file(const Entry& entry, const std::string& root) {
  std::string content = header_for(entry);
  for (const Turn& turn : entry.turns) {
    if (turn.knob.kind == KnobKind::sysctl)
      content += fmt::format("{} = {}\n", turn.knob.item, turn.after);
  }
  return {fmt::format("{}/etc/sysctl.d/90-slowpath-{}.conf", root, entry.id), content};
}

/// ifupdown runs these when an interface comes up, with its name in IFACE (interfaces(5)).
MadeFile ifupdown_file(const Entry& entry, const std::string& interface, const std::string& root) {
  std::string content = "#!/bin/sh\n" + header_for(entry) +
                        fmt::format("[ \"$IFACE\" = '{}' ] || exit 0\n", interface);
  for (const Turn& turn : entry.turns) {
    if (turn.knob.interface == interface) content += command_for(turn) + "\n";
  }
  // run-parts(8) takes no dots in names.
  return {fmt::format("{}/etc/network/if-up.d/slowpath-{}", root, entry.id), content};
}

std::vector<MadeFile> unit_files(const Entry& entry, const std::string& interface,
                                 const std::string& root) {
  std::string content = header_for(entry);
  content += fmt::format(
      "[Unit]\nDescription=slowpath fix {}\nBindsTo=sys-subsystem-net-devices-{}.device\n"
      "After=network-pre.target sys-subsystem-net-devices-{}.device\n\n[Service]\nType=oneshot\n",
      entry.id, interface, interface);
  for (const Turn& turn : entry.turns) {
    if (turn.knob.interface == interface)
      content +=
          "ExecStart=/usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin " + command_for(turn) + "\n";
  }
  const std::string name = fmt::format("slowpath-fix-{}.service", entry.id),
                    units = root + "/etc/systemd/system/";
  content += "\n[Install]\nWantedBy=multi-user.target\n";
  // A copy below .wants does what `systemctl enable` does with a link.
  return {{units + name, content}, {units + "multi-user.target.wants/" + name, content}};
}

}  // namespace

Result<std::vector<MadeFile>> files_for(const Entry& entry, const std::string& root) {
  std::vector<MadeFile> files;
  std::string interface;
  bool has_sysctl = false;
  for (const Turn& turn : entry.turns) {
    has_sysctl |= turn.knob.kind == KnobKind::sysctl;
    if (turn.knob.kind == KnobKind::route)
      // What brings the route up would bring it up without the metric, in an order nobody knows.
      return fail(ErrorKind::environment,
                  fmt::format("cannot make '{}' last over a reboot", entry.action),
                  "a route's metrics belong where the route is made",
                  "add them there: interfaces(5), systemd.network(5), nm-settings(5)");
    if (!turn.knob.interface.empty()) interface = turn.knob.interface;
  }
  if (has_sysctl) files.push_back(sysctl_file(entry, root));
  if (interface.empty()) return files;
  if (fs::is_directory(root + "/etc/network/if-up.d")) {
    files.push_back(ifupdown_file(entry, interface, root));
  } else if (fs::is_directory(root + "/etc/systemd/system")) {
    for (MadeFile& file : unit_files(entry, interface, root)) files.push_back(std::move(file));
  } else {
    return fail(
        ErrorKind::environment, fmt::format("cannot make '{}' last over a reboot", entry.action),
        "neither ifupdown nor systemd is here", "add the command to what brings the interface up");
  }
  return files;
}

Result<void> persist(Journal& journal, Entry& entry, const std::string& root) {
  Result<std::vector<MadeFile>> files = files_for(entry, root);
  if (!files) return std::unexpected(files.error());
  entry.files = std::move(*files);
  if (const Result<void> kept = journal.write(entry); !kept) return kept;
  for (const MadeFile& file : entry.files) {
    std::error_code code;
    fs::create_directories(fs::path(file.path).parent_path(), code);
    const bool script = file.path.contains("/if-up.d/");
    if (const Result<void> written = write_synced(file.path, file.content, script ? 0755 : 0644);
        !written)
      return written;
  }
  return {};
}

}  // namespace slowpath::fix
