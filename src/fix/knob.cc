// SPDX-License-Identifier: Apache-2.0
#include "fix/knob.h"

#include <array>
#include <sstream>

#include <fmt/format.h>

#include "fix/mss_clamp.h"
#include "fix/qdisc_options.h"
#include "fix/route_item.h"
#include "fix/rss_knob.h"

namespace slowpath::fix {
namespace {

struct Form {
  KnobKind kind;
  std::string_view word;
  bool has_interface, has_item;
};
constexpr std::array kForms{
    Form{KnobKind::sysctl, "sysctl", false, true},
    Form{KnobKind::feature, "feature", true, true},
    Form{KnobKind::mtu, "mtu", true, false},
    Form{KnobKind::queue_length, "queue-length", true, false},
    Form{KnobKind::ring, "ring", true, true},
    Form{KnobKind::channels, "channels", true, true},
    Form{KnobKind::rss, "rss", true, true},
    Form{KnobKind::qdisc, "qdisc", true, false},
    Form{KnobKind::qdisc_option, "qdisc-option", true, true},
    Form{KnobKind::link, "link", true, false},
    Form{KnobKind::route, "route", true, true},
    Form{KnobKind::mss_clamp, "mss-clamp", false, true},
};

std::unexpected<Error> no_knob(std::string_view name) {
  return fail(ErrorKind::usage, fmt::format("cannot read the knob '{}'", name), "no such form",
              "use sysctl:NAME, feature:DEV:FEATURE, mtu:DEV, queue-length:DEV, ring:DEV:rx|tx, "
              "channels:DEV:rx|tx|combined, rss:DEV:table, qdisc:DEV, "
              "qdisc-option:DEV:limit|flow_limit|maxrate, link:DEV, "
              "route:DEV:ITEM@DESTINATION or "
              "mss-clamp:any|DEV");
}

bool is_known_item(const Knob& knob) {
  if (knob.kind == KnobKind::ring) return knob.item == "rx" || knob.item == "tx";
  if (knob.kind == KnobKind::route) return is_route_item(knob.item);
  if (knob.kind == KnobKind::mss_clamp) return is_mss_clamp_item(knob.item);
  if (knob.kind == KnobKind::qdisc_option) return is_qdisc_option_word(knob.item);
  if (knob.kind == KnobKind::rss) return knob.item == kRssTable;
  if (knob.kind != KnobKind::channels) return true;
  return knob.item == "rx" || knob.item == "tx" || knob.item == "combined";
}

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::string single_spaced(std::string_view text) {
  std::string words;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\t' || c == '\n';
    if (!space) words += c;
    if (space && !words.empty() && words.back() != ' ') words += ' ';
  }
  while (!words.empty() && words.back() == ' ') words.pop_back();
  return words;
}

std::string to_string(const Knob& knob) {
  for (const Form& form : kForms) {
    if (form.kind != knob.kind) continue;
    std::string name(form.word);
    if (form.has_interface) name += ":" + knob.interface;
    if (form.has_item) name += ":" + knob.item;
    return name;
  }
  return {};
}

Result<Knob> parse_knob(std::string_view name) {
  const std::size_t colon = name.find(':');
  if (colon == std::string_view::npos) return no_knob(name);
  for (const Form& form : kForms) {
    if (name.substr(0, colon) != form.word) continue;
    std::string_view rest = name.substr(colon + 1);
    Knob knob;
    knob.kind = form.kind;
    if (form.has_interface) {
      // Names of interfaces may hold a colon (aliases); items never do, but for IPv6 destinations.
      const bool is_route = form.kind == KnobKind::route;
      const std::size_t end = !form.has_item ? rest.size()
                              : is_route     ? rest.find(':')
                                             : rest.rfind(':');
      if (end == std::string_view::npos) return no_knob(name);
      knob.interface = rest.substr(0, end);
      rest = form.has_item ? rest.substr(end + 1) : std::string_view();
    }
    knob.item = rest;
    const bool complete =
        form.has_interface != knob.interface.empty() && form.has_item != knob.item.empty();
    if (!complete || !is_known_item(knob)) return no_knob(name);
    return knob;
  }
  return no_knob(name);
}

}  // namespace slowpath::fix
