// SPDX-License-Identifier: Apache-2.0
// netsh's tables of one value a line: `int tcp show global`, `int ip show global`, `int tcp show
// heuristics`, `... supplemental`, `int ip show dynamicport`. English names become keys as they
// are. In any other language the names are not known but the order is, and Windows leaves the
// values in English: then values are found by what stands beside them.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

using Names = std::span<const std::string_view>;

// In the order in which Windows prints them; no version prints all.
constexpr auto kTcpGlobal = std::to_array<std::string_view>(
    {"receive-side-scaling-state", "chimney-offload-state", "netdma-state",
     "direct-cache-access-dca", "receive-window-auto-tuning-level",
     "add-on-congestion-control-provider", "ecn-capability", "rfc-1323-timestamps", "initial-rto",
     "receive-segment-coalescing-state", "non-sack-rtt-resiliency", "max-syn-retransmissions",
     "fast-open", "fast-open-fallback", "hystart", "proportional-rate-reduction",
     "pacing-profile"});
constexpr auto kIpGlobal = std::to_array<std::string_view>(
    {"default-hop-limit", "neighbor-cache-limit", "route-cache-limit", "reassembly-limit",
     "icmp-redirects", "source-routing-behavior", "task-offload", "dhcp-media-sense",
     "media-sense-logging", "mld-level", "mld-version", "multicast-forwarding",
     "group-forwarded-fragments", "randomize-identifiers", "address-mask-reply", "minimum-mtu"});
constexpr auto kHeuristics = std::to_array<std::string_view>(
    {"window-scaling-heuristics", "qualifying-destination-threshold", "profile-type-unknown",
     "profile-type-public", "profile-type-private", "profile-type-domain"});
constexpr auto kSupplemental = std::to_array<std::string_view>(
    {"minimum-rto-msec", "initial-congestion-window-mss", "congestion-control-provider",
     "enable-congestion-window-restart", "delayed-ack-timeout-msec", "delayed-ack-frequency",
     "enable-rack", "enable-tail-loss-probe"});
constexpr auto kDynamicPort = std::to_array<std::string_view>({"start-port", "number-of-ports"});

struct Kind {
  std::string_view prefix;
  Names names;
};
constexpr auto kKinds = std::to_array<Kind>({{"netsh.tcp.global.", kTcpGlobal},
                                             {"netsh.ip.global.", kIpGlobal},
                                             {"netsh.tcp.heuristics.", kHeuristics},
                                             {"netsh.tcp.supplemental.", kSupplemental},
                                             {"netsh.ip.dynamicport.", kDynamicPort}});

struct Row {
  std::string key;  // kebab of an English name; of others, what letters they have
  std::string value;
  Line line;
};

std::string key_of(std::string_view name) {
  std::string key = kebab(name);
  if (key == "direct-cache-acess-dca") key = "direct-cache-access-dca";  // so in Windows 7
  return key;
}

bool is_known(std::string_view key) {
  return std::ranges::any_of(
      kKinds, [key](const Kind& kind) { return std::ranges::count(kind.names, key) > 0; });
}

/// Names are padded, so a blank stands before the colon.
std::optional<Pair> padded_pair(std::string_view line) {
  const auto pair = pair_of(line);
  const std::size_t colon = line.find(" :");
  return pair && colon != std::string_view::npos && !line.substr(0, colon).contains(':')
             ? pair
             : std::nullopt;
}

bool is_long_rule(std::string_view line) {
  line = trim(line);
  return line.size() >= 10 && is_word_of(line, "-");
}

const Line* next_text(Lines lines, std::size_t& at) {
  while (at < lines.size() && lines[at].text.empty()) ++at;
  return at < lines.size() ? &lines[at++] : nullptr;
}

/// A title, a rule, a named value.
bool begins_table(Lines lines) {
  std::size_t at = 0;
  const Line* title = next_text(lines, at);
  const Line* rule = next_text(lines, at);
  const Line* first = next_text(lines, at);
  return first != nullptr && !padded_pair(title->text) && is_long_rule(rule->text) &&
         padded_pair(first->text).has_value();
}

bool recognises(const Output& rest) {
  if (begins_table(rest.lines)) return true;
  // "Querying active state..." in any language stands before the title.
  const std::string_view first = rest.lines.front().text;
  if (first.ends_with("...") || first.ends_with("…")) {
    std::size_t at = 1;
    while (at < rest.lines.size() && rest.lines[at].text.empty()) ++at;
    if (at < rest.lines.size()) return begins_table(rest.lines.subspan(at));
  }
  const auto pair = padded_pair(first);  // the head of the table was cut away
  return pair && is_known(key_of(pair->key)) && !pair->value.empty();
}

/// The rows of one table; a name or a value that a narrow console wrapped is joined again.
class RowReader {
 public:
  explicit RowReader(Notes& notes) : notes_(notes) {}

  void read(const Line& line) {
    if (is_rule(line.text)) pending_ = nullptr;  // a title stands before a rule
    if (line.text.empty() || is_rule(line.text)) {
      drop_pending();
      return;
    }
    const auto pair = padded_pair(line.text);
    if (pair) {
      read_pair(*pair, line);
    } else if (!rows.empty() && rows.back().value.empty() && !line.text.contains(' ')) {
      rows.back().value = line.text;
    } else {
      drop_pending();
      pending_ = &line;
    }
  }
  void drop_pending() {
    if (pending_ != nullptr && !is_decoration(pending_->text)) notes_.not_understood(*pending_);
    pending_ = nullptr;
  }

  std::vector<Row> rows;

 private:
  static bool is_decoration(std::string_view text) {
    return text.ends_with("...") || text.ends_with("…") || text == "Ok.";
  }
  void read_pair(const Pair& pair, const Line& line) {
    std::string key = key_of(pair.key);
    if (pending_ != nullptr) {
      const std::string joined = key_of(std::string(pending_->text) + " " + std::string(pair.key));
      if (is_known(joined)) {
        key = joined;
        pending_ = nullptr;
      }
    }
    drop_pending();
    rows.push_back({key, std::string(pair.value), line});
  }

  Notes& notes_;
  const Line* pending_ = nullptr;
};

/// The kind whose English names most rows have, if at least half of them do.
const Kind* english_kind(const std::vector<Row>& rows) {
  for (const Kind& kind : kKinds) {
    const auto known = std::ranges::count_if(
        rows, [&](const Row& row) { return std::ranges::count(kind.names, row.key) > 0; });
    if (known > 0 && 2 * static_cast<std::size_t>(known) >= rows.size()) return &kind;
  }
  return nullptr;
}

std::string in_english(std::string_view value) {
  const auto truth = truth_of(value);
  if (!truth || leading_number(value)) return std::string(value);
  return *truth ? "enabled" : "disabled";
}

bool is_congestion_provider(std::string_view value) {
  constexpr auto kProviders = std::to_array<std::string_view>(
      {"none", "ctcp", "dctcp", "cubic", "newreno", "default", "keine", "keiner", "aucun", "aucune",
       "ninguno", "nenhum", "なし", "ledbat", "bbr2"});
  const std::string word = lower(value);
  return std::ranges::count(kProviders, std::string_view(word)) > 0;
}

bool is_auto_tuning_level(std::string_view value) {
  constexpr auto kLevels = std::to_array<std::string_view>(
      {"normal", "disabled", "restricted", "highlyrestricted", "experimental"});
  const std::string word = lower(value);
  return std::ranges::count(kLevels, std::string_view(word)) > 0 || truth_of(value) == false;
}

/// Names for the rows of a TCP table in a foreign language. The congestion provider has values of
/// its own; the auto-tuning level stands before it, ECN and time stamps after it; receive-side
/// scaling is the first row, and chimney the second where something stands between. After the
/// time stamps the order is the same in all versions.
std::vector<std::string_view> foreign_tcp_names(const std::vector<Row>& rows) {
  std::vector<std::string_view> names(rows.size());
  const auto provider =
      std::ranges::find_if(rows, [](const Row& row) { return is_congestion_provider(row.value); });
  const auto at = static_cast<std::size_t>(provider - rows.begin());
  if (provider == rows.end() || at < 2 || !is_auto_tuning_level(rows[at - 1].value)) return {};
  constexpr std::size_t kProviderName = 5;
  for (std::size_t row = at - 1; row < rows.size(); ++row) {
    const std::size_t name = kProviderName + row - at;
    if (name < kTcpGlobal.size()) names[row] = kTcpGlobal[name];
  }
  for (std::size_t row = 0; row + 1 < at && row + 1 < kProviderName; ++row) {
    names[row] = kTcpGlobal[row];
  }
  return names;
}

/// Four limits lead; the seventh row is the task offload.
std::vector<std::string_view> foreign_ip_names(const std::vector<Row>& rows) {
  constexpr std::size_t kLimits = 4, kTaskOffload = 6;
  if (rows.size() <= kTaskOffload || !truth_of(rows[kTaskOffload].value)) return {};
  for (std::size_t row = 0; row < kLimits; ++row) {
    if (!leading_number(rows[row].value)) return {};
  }
  if (leading_number(rows[kLimits].value)) return {};
  std::vector<std::string_view> names(rows.size());
  for (std::size_t row = 0; row <= kTaskOffload; ++row) names[row] = kIpGlobal[row];
  return names;
}

void read_english(const Kind& kind, std::string_view protocol, const std::vector<Row>& rows,
                  Notes& notes) {
  std::string prefix(kind.prefix);
  if (kind.names.data() == kDynamicPort.data()) prefix += std::string(protocol) + ".";
  for (const Row& row : rows) {
    if (row.value.empty()) {
      notes.not_understood(row.line);
    } else {
      notes.setting(prefix + row.key, row.value, row.line);
    }
  }
}

void read_foreign(std::string_view protocol, const std::vector<Row>& rows, Notes& notes) {
  std::string prefix = "netsh.tcp.global.";
  std::vector<std::string_view> names = foreign_tcp_names(rows);
  if (names.empty()) {
    prefix = "netsh.ip.global.";
    names = foreign_ip_names(rows);
  }
  if (names.empty() && rows.size() == 2 && !protocol.empty() && whole_number(rows[0].value)) {
    prefix = "netsh.ip.dynamicport." + std::string(protocol) + ".";
    names = {kDynamicPort[0], kDynamicPort[1]};
  }
  names.resize(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (names[row].empty() || rows[row].value.empty()) {
      notes.not_understood(rows[row].line);
    } else {
      notes.setting(prefix + std::string(names[row]), in_english(rows[row].value), rows[row].line);
    }
  }
}

void read_rows(const std::vector<Row>& rows, std::string_view protocol, Notes& notes) {
  if (rows.empty()) return;
  if (const Kind* kind = english_kind(rows)) {
    read_english(*kind, protocol, rows, notes);
  } else {
    read_foreign(protocol, rows, notes);
  }
}

/// The protocol that a title names: the dynamic ports of tcp and udp have tables of their own.
std::string_view protocol_of(std::string_view title) {
  const auto names = [title](std::string_view word) { return contains_ignoring_case(title, word); };
  return names("udp") ? "udp" : names("tcp") ? "tcp" : "";
}

void read(const Output& output, Notes& notes) {
  RowReader reader(notes);
  std::string_view protocol = protocol_of(output.command.last_argument());
  std::string_view before_rule;
  for (const Line& line : output.lines) {
    if (line.text.starts_with("**") && contains_ignoring_case(line.text, "autotuninglevel")) {
      notes.setting("netsh.tcp.global.receive-window-auto-tuning-level.overridden-by", "heuristics",
                    line);
      continue;
    }
    if (is_long_rule(line.text)) {
      read_rows(reader.rows, protocol, notes);
      reader.rows.clear();
      if (!protocol_of(before_rule).empty()) protocol = protocol_of(before_rule);
    }
    reader.read(line);
    if (!line.text.empty()) before_rule = line.text;
  }
  reader.drop_pending();
  read_rows(reader.rows, protocol, notes);
}

}  // namespace

namespace recognisers {
extern const Recogniser netsh_table;
const Recogniser netsh_table{"netsh_table", Platform::windows, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
