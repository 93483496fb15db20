// SPDX-License-Identifier: Apache-2.0
#include "fix/persist.h"

#include <filesystem>
#include <fstream>
#include <sstream>
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
      content +=
          "ExecStart=/usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin " + command_for(turn) + "\n";
  }
  content += fmt::format("\n[Install]\nWantedBy={}\n", device);
  const std::string name = fmt::format("slowpath-fix-{}.service", entry.id),
                    units = root + "/etc/systemd/system/";
  // What `systemctl enable` would make; systemd takes nothing but links there.
  return {{units + name, content, false},
          {fmt::format("{}{}.wants/{}", units, device, name), "../" + name, true}};
}

/// Whether interfaces(5) speaks of this interface.
bool is_in(const fs::path& file, const std::string& interface) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    std::string first;
    words >> first;
    if (first != "iface" && first != "auto" && first != "allow-hotplug") continue;
    for (std::string word; words >> word;) {
      if (word == interface) return true;
    }
  }
  return false;
}

bool is_ifupdowns(const std::string& interface, const std::string& root) {
  if (!fs::is_directory(root + "/etc/network/if-up.d")) return false;
  if (is_in(root + "/etc/network/interfaces", interface)) return true;
  std::error_code code;
  for (fs::directory_iterator at(root + "/etc/network/interfaces.d", code), end; !code && at != end;
       at.increment(code)) {
    if (is_in(at->path(), interface)) return true;
  }
  return false;
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
  if (is_ifupdowns(interface, root)) {
    files.push_back(ifupdown_file(entry, interface, root));
  } else if (fs::is_directory(root + "/etc/systemd/system")) {
    for (MadeFile& file : unit_files(entry, interface, root)) files.push_back(std::move(file));
  } else {
    return fail(ErrorKind::environment,
                fmt::format("cannot make '{}' last over a reboot", entry.action),
                fmt::format("ifupdown does not know {}, and systemd is not here", interface),
                "add the command to what brings the interface up");
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
    if (file.is_link) {
      fs::remove(file.path, code);
      fs::create_symlink(file.content, file.path, code);
      if (code) return fail(ErrorKind::environment, "cannot write " + file.path, code.message());
      continue;
    }
    const bool script = file.path.contains("/if-up.d/");
    if (const Result<void> written = write_synced(file.path, file.content, script ? 0755 : 0644);
        !written)
      return written;
  }
  return {};
}

}  // namespace slowpath::fix
