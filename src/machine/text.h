// SPDX-License-Identifier: Apache-2.0
// What commands printed on any host, read into MachineFacts: Linux, Windows, Solaris, ESXi, and the
// tests iperf, ping and tcpdump. Each output is recognised by its content; one file may hold many.
// Values mean what the platform means by them: nothing is judged here. The settings' keys are
// listed in machine/text/README.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "facts/machine.h"

namespace slowpath::machine {

/// A file beyond this is read so far, and the rest is named in `unread`.
inline constexpr std::uint64_t kMaxTextBytes = 64ULL << 20;
/// Files of a directory beyond this many are named in `unread`.
inline constexpr std::size_t kMaxTextFiles = 1000;

/// Adds what `content` says to `facts`; `name` is told in origins. What is said again replaces what
/// was said before. Lines that nobody understood are listed, up to a bound.
void read_text(std::string_view name, std::string_view content, MachineFacts& facts);

/// Files, and of directories the regular files in them (not in folders below), by name; "-" is
/// standard input. Errors (input): a path that cannot be opened, a directory without files, and
/// files that name two hosts or are of two platforms, since both would be judged as one host. A
/// directory's file that cannot be read is named in `unread`.
Result<MachineFacts> read_texts(std::span<const std::string> paths);

/// What to run on such a host so that read_text() learns most: reads only, and asks for no
/// privilege where the platform lets an ordinary user look. Every output is led by a line that
/// names its command. A shell script; for Windows a PowerShell script. Empty for Platform::cloud
/// and Platform::any.
std::string collect_script(Platform platform);

}  // namespace slowpath::machine
