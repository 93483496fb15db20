// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

constexpr std::size_t kMaxShownBytes = 120;
// A host has fewer; text that names more is no listing of a host, and must not make us slow.
constexpr std::size_t kMaxInterfaces = 4096;
constexpr std::size_t kMaxPackages = 20'000;
constexpr std::size_t kMaxUnread = 1000;

/// Cut where a UTF-8 character begins.
std::string_view cut(std::string_view text) {
  if (text.size() <= kMaxShownBytes) return text;
  std::size_t end = kMaxShownBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

struct Complaint {
  std::string_view words, allow;
};
constexpr auto kComplaints = std::to_array<Complaint>({
    {"operation not permitted", "root"},
    {"permission denied", "root"},
    {"must be root", "root"},
    {"requires elevation", "administrator"},
    {"operation not supported", ""},
    {"no such file or directory", ""},
    {"no such device", ""},
    {"command not found", ""},
    {": not found", ""},
    {"no data available", ""},
    {"no stats available", ""},
    {"no such process", ""},
    {"couldn't open", ""},
});

const Complaint* complaint_of(std::string_view line) {
  const auto found = std::ranges::find_if(kComplaints, [line](const Complaint& complaint) {
    return contains_ignoring_case(line, complaint.words);
  });
  return found == kComplaints.end() ? nullptr : &*found;
}

}  // namespace

Origin Notes::at(const Line& line) const {
  return {fmt::format("{}, line {}", file_, line.number)};
}

void Notes::setting(std::string key, std::string_view value, const Line& line) {
  facts_.settings.insert_or_assign(std::move(key), Told<std::string>{std::string(value), at(line)});
}

void Notes::counter(std::string key, std::uint64_t value, const Line& line) {
  facts_.counters.insert_or_assign(std::move(key), Told<std::uint64_t>{value, at(line)});
}

InterfaceFacts& Notes::interface(std::string_view name, const Line& line) {
  if (name.empty()) name = kUnnamedInterface;
  auto& all = facts_.interfaces;
  const auto found = std::ranges::find(all, name, &InterfaceFacts::name);
  if (found != all.end()) return *found;
  if (all.size() >= kMaxInterfaces) return all.back();
  InterfaceFacts& made = all.emplace_back();
  made.name = name;
  made.origin = at(line);
  return made;
}

void Notes::package(const Line& line) {
  if (facts_.packages.size() < kMaxPackages) {
    facts_.packages.emplace_back(trim(line.text));
  } else {
    not_understood(line);
  }
}

void Notes::unread(std::string_view what, std::string_view why, std::string_view allow) {
  auto& list = facts_.unread;
  if (list.size() >= kMaxUnread || (!list.empty() && list.back().what == what)) return;
  list.push_back({std::string(what), std::string(why), std::string(allow)});
}

void Notes::set_command(const Command& command) {
  command_.clear();
  for (const std::string& word : command.words) {
    if (!command_.empty()) command_.push_back(' ');
    command_.append(word);
  }
  command_.resize(cut(command_).size());
}

void Notes::not_understood(const Line& line) {
  if (line.text.empty() || is_rule(line.text)) return;
  if (const Complaint* complaint = command_.empty() ? nullptr : complaint_of(line.text)) {
    unread(command_, cut(trim(line.text)), complaint->allow);
    return;
  }
  ++not_understood_count_;
  auto& list = facts_.not_understood;
  if (not_understood_count_ <= kMaxNotUnderstood) {
    list.push_back({file_, line.number, std::string(cut(trim(line.text)))});
    return;
  }
  const std::uint32_t more = not_understood_count_ - kMaxNotUnderstood;
  if (more == 1) list.push_back({file_, line.number, {}});
  list.back().text = fmt::format("and from here {} more lines", more);
}

std::string_view interface_of(const Command& command) {
  const std::string_view name = command.last_argument();
  return name.empty() ? kUnnamedInterface : name;
}

}  // namespace slowpath::machine::text
