// SPDX-License-Identifier: Apache-2.0
// `tc -s qdisc`. Of the numbers only the root's are kept, as those of mq and of classful ones hold
// what is below them, and what ingress dropped.
#include <string>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

bool recognises(const Output& rest) {
  const Words& words = rest.words;
  return words.size() >= 5 && words[0] == "qdisc" && words[2].ends_with(':') && words[3] == "dev";
}

/// "Sent 10 bytes 2 pkt (dropped 1, overlimits 0 requeues 3)" and "backlog 5b 1p requeues 0".
void read_numbers(std::string_view text, InterfaceFacts& interface) {
  auto& statistics = interface.qdisc_statistics;
  const auto set = [&](const char* name, std::string_view begin, std::string_view end) {
    if (const auto value = whole_number(between(text, begin, end))) statistics[name] = *value;
  };
  set("bytes", "Sent ", " bytes");
  set("packets", " bytes ", " pkt");
  set("drops", "(dropped ", ",");
  set("overlimits", "overlimits ", " ");
  if (text.contains("(dropped")) set("requeues", "requeues ", ")");
  if (text.contains("backlog")) {
    if (const auto bytes = size_bytes(between(text, "backlog ", "b "))) {
      statistics["backlog_bytes"] = static_cast<std::uint64_t>(*bytes);
    }
    set("backlog_packets", "b ", "p");
  }
}

/// What filters on ingress dropped, policers among them.
void read_ingress(std::string_view text, InterfaceFacts& interface) {
  if (const auto drops = whole_number(between(text, "(dropped ", ",")))
    interface.qdisc_statistics["ingress_drops"] = *drops;
}

void read_head(const Words& words, const Line& line, InterfaceFacts& interface) {
  interface.qdisc = words[1];
  std::string_view rest = line.text;
  const std::size_t root = rest.find(" root ");
  // "refcnt 2 limit 10240p flows 1024 ...": as tc prints it.
  if (root != std::string_view::npos) interface.properties["qdisc"] = rest.substr(root + 6);
}

/// The kinds below the root, each once.
void add_leaf(std::string_view kind, std::string& leaves) {
  if (("," + leaves + ",").contains("," + std::string(kind) + ",")) return;
  if (leaves.size() > 1000) return;
  leaves.append(leaves.empty() ? "" : ",").append(kind);
}

void read(const Output& output, Notes& notes) {
  // The interface whose root, or whose ingress, the lines below belong to; empty for other qdiscs.
  std::string root, ingress;
  bool is_open = false;
  notes.each_line(output, [&](const Line& line) {
    const Words words = words_of(line.text);
    if (words.size() >= 5 && words[0] == "qdisc" && words[3] == "dev") {
      is_open = true;
      root.clear();
      ingress.clear();
      if (words.size() > 5 && words[5] == "root") root = words[4];
      if (words[1] == "ingress" || words[1] == "clsact") ingress = words[4];
      InterfaceFacts& interface = notes.interface(words[4], line);
      if (!root.empty()) {
        read_head(words, line, interface);
      } else if (!ingress.empty()) {
        interface.properties["qdisc.ingress"] = words[1];
      } else {
        add_leaf(words[1], interface.properties["qdisc.leaves"]);
      }
      return true;
    }
    if (!is_open || line.text.front() != ' ') return false;
    if (!root.empty()) read_numbers(line.text, notes.interface(root, line));
    if (!ingress.empty()) read_ingress(line.text, notes.interface(ingress, line));
    return true;
  });
}

}  // namespace

namespace recognisers {
extern const Recogniser tc_qdisc;
const Recogniser tc_qdisc{"tc_qdisc", Platform::linux, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
