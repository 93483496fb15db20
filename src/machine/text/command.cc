// SPDX-License-Identifier: Apache-2.0
#include "machine/text/command.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

// A line that begins with one of these after a decoration ("# ", "### ", "+ ") is a command.
constexpr auto kPrograms = std::to_array<std::string_view>({"ethtool",
                                                            "ip",
                                                            "sysctl",
                                                            "ss",
                                                            "nstat",
                                                            "netstat",
                                                            "tc",
                                                            "cat",
                                                            "uname",
                                                            "conntrack",
                                                            "ping",
                                                            "ping6",
                                                            "iperf",
                                                            "iperf3",
                                                            "tcpdump",
                                                            "dladm",
                                                            "ipadm",
                                                            "ndd",
                                                            "ls",
                                                            "find",
                                                            "pkg",
                                                            "modinfo",
                                                            "netsh",
                                                            "esxcli",
                                                            "esxcfg-nics",
                                                            "vmkping",
                                                            "cmd",
                                                            "ver",
                                                            "systeminfo",
                                                            "lsmod",
                                                            "ifconfig",
                                                            "esxcfg-advcfg",
                                                            "hostname",
                                                            "vmware",
                                                            "grep",
                                                            "kstat",
                                                            "isainfo",
                                                            "pkginfo",
                                                            "systemd-detect-virt",
                                                            "esxcfg-vmknic",
                                                            "echo"});

// A line that begins with one of these is a command even without a prompt.
constexpr auto kBareBeginnings = std::to_array<std::string_view>(
    {"netsh int ",  "netsh interface ", "ethtool -", "esxcli ",   "esxcfg-nics -", "esxcfg-advcfg ",
     "ipadm show-", "dladm show-",      "sysctl -",  "nstat -",   "ss -",          "tc -",
     "ndd -",       "ndd /dev/",        "cat /",     "ip -",      "ip link",       "ip route",
     "ip addr",     "netstat -",        "ping -",    "vmkping -", "uname -",       "conntrack -",
     "iperf -",     "iperf3 -",         "ls -l"});

std::string program_name(std::string_view word) {
  std::string name = lower(word.substr(word.find_last_of("/\\") + 1));
  if (name.ends_with(".exe")) name.resize(name.size() - 4);
  return name;
}

bool is_program(std::string_view word) {
  const std::string name = program_name(word);
  return std::ranges::find(kPrograms, std::string_view(name)) != kPrograms.end() ||
         name.starts_with("get-net");
}

Command command_of(std::string_view text) {
  Command command;
  const Words words = words_of(text);
  std::size_t first = 0;
  while (first < words.size() && (words[first] == "sudo" || words[first] == "env")) ++first;
  for (const auto word : std::span(words).subspan(first)) {
    std::string plain(word);
    std::erase_if(plain, [](char each) { return each == '"' || each == '\''; });
    command.words.push_back(command.words.empty() ? program_name(plain) : plain);
  }
  return command;
}

/// "C:\Users\x>netsh int ...", "PS C:\> Get-NetAdapter", "PS> ...".
std::optional<PromptLine> windows_prompt(std::string_view line) {
  const bool powershell = line.starts_with("PS ") || line.starts_with("PS>");
  if (powershell) line.remove_prefix(2);
  line = trim(line);
  const bool drive = line.size() > 2 && line[1] == ':' && line[2] == '\\';
  const bool share = powershell && (line.starts_with('>') || line.starts_with("\\\\"));
  const std::size_t end = line.find('>');
  if ((!drive && !share) || end == std::string_view::npos) return std::nullopt;
  return PromptLine{command_of(line.substr(end + 1)), {}};
}

bool is_host_char(char each) {
  return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') ||
         (each >= '0' && each <= '9') || each == '-' || each == '.' || each == '_';
}

/// "root@host:~# ...", "[root@host ~]$ ...", "root@host:/etc> ...".
std::optional<PromptLine> shell_prompt(std::string_view line) {
  const bool bracket = line.starts_with('[');
  if (bracket) line.remove_prefix(1);
  const std::size_t at_sign = line.find('@');
  const auto is_user = [](std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, is_host_char);
  };
  if (at_sign == std::string_view::npos || !is_user(line.substr(0, at_sign))) return std::nullopt;
  const std::string_view rest = line.substr(at_sign + 1);
  const auto host_len =
      static_cast<std::size_t>(std::ranges::find_if_not(rest, is_host_char) - rest.begin());
  const std::size_t end = rest.find_first_of("#$>%");
  if (host_len == 0 || host_len > 255 || end == std::string_view::npos) return std::nullopt;
  const std::string_view folder = rest.substr(host_len, end - host_len);
  if (folder.contains('<') || folder.starts_with(": ")) return std::nullopt;  // "eth0@if5: <UP>"
  // ESXi's "[root@esx:~] esxcli" has no sign at the end; it is dealt with by bracket_prompt().
  if (!folder.empty() && !std::string_view(bracket ? " :]" : ":").contains(folder.front())) {
    return std::nullopt;
  }
  if (end + 1 < rest.size() && rest[end + 1] != ' ') return std::nullopt;
  return PromptLine{command_of(rest.substr(end + 1)), std::string(rest.substr(0, host_len))};
}

/// "[root@esx01:~] esxcli ...".
std::optional<PromptLine> bracket_prompt(std::string_view line) {
  const std::size_t close = line.find(']');
  const std::size_t at_sign = line.find('@');
  if (!line.starts_with('[') || close == std::string_view::npos || at_sign > close) {
    return std::nullopt;
  }
  const std::string_view inner = line.substr(at_sign + 1, close - at_sign - 1);
  const std::size_t host_len = std::min(inner.find_first_of(": "), inner.size());
  const std::string_view rest = line.substr(close + 1);
  if (host_len == 0 || (!rest.empty() && rest.front() != ' ')) return std::nullopt;
  return PromptLine{command_of(rest), std::string(inner.substr(0, host_len))};
}

/// "# ethtool -k eth0", "$ ss -tin", "### slowpath: cat /proc/net/dev", "~ # esxcli ...", "+ ip
/// link".
std::optional<PromptLine> decorated(std::string_view line) {
  const std::size_t first = line.find_first_not_of("#$+=>~%* \t-");
  if (first == 0 || first == std::string_view::npos) return std::nullopt;
  const bool is_decoration = line.find_first_of("#$+=>") < first;
  std::string_view rest = line.substr(first);
  const bool is_ours = rest.starts_with("slowpath: ");  // whatever was run
  if (is_ours) rest.remove_prefix(10);
  const Words words = words_of(rest);
  if (!is_decoration || words.empty()) return std::nullopt;
  if (rest.starts_with('/') && rest.ends_with("<==")) {  // head and tail of several files
    return PromptLine{command_of("cat " + std::string(words.front())), {}};
  }
  const std::size_t program = words.front() == "sudo" && words.size() > 1 ? 1 : 0;
  if (!is_ours && !is_program(words[program])) return std::nullopt;
  return PromptLine{command_of(rest), {}};
}

std::optional<PromptLine> bare(std::string_view line) {
  if (line.starts_with("sudo ")) line.remove_prefix(5);
  const bool is_cmdlet = contains_ignoring_case(line.substr(0, 7), "get-net") &&
                         line.substr(0, line.find(' ')).find(':') == std::string_view::npos;
  if (!is_cmdlet && std::ranges::none_of(kBareBeginnings, [line](std::string_view beginning) {
        return line.starts_with(beginning);
      })) {
    return std::nullopt;
  }
  return PromptLine{command_of(line), {}};
}

}  // namespace

std::string_view Command::program() const {
  return words.empty() ? std::string_view{} : std::string_view(words.front());
}

bool Command::has(std::string_view word) const {
  return std::ranges::find(words, word) != words.end();
}

std::string_view Command::after(std::string_view option) const {
  const auto found = std::ranges::find(words, option);
  return found == words.end() || found + 1 == words.end() ? std::string_view{}
                                                          : std::string_view(*(found + 1));
}

std::string_view Command::last_argument() const {
  for (std::size_t at = words.size(); at > 1; --at) {
    const std::string& word = words[at - 1];
    if (!word.starts_with('-')) return word;
  }
  return {};
}

std::optional<PromptLine> prompt_line_of(std::string_view line) {
  line = trim(line);
  if (line.empty() || line.size() > 4096) return std::nullopt;
  if (auto found = windows_prompt(line)) return found;
  if (auto found = shell_prompt(line)) return found;
  if (auto found = bracket_prompt(line)) return found;
  if (auto found = decorated(line)) return found;
  return bare(line);
}

}  // namespace slowpath::machine::text
