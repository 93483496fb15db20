// SPDX-License-Identifier: Apache-2.0
// Listings of driver files and packages, kept as printed: `ls -l`, `find -ls`, `pkg list`,
// `pkg info`, `modinfo` of Solaris and of Linux, `esxcli software vib list`.
#include <algorithm>
#include <string>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

bool is_mode(std::string_view word) {
  return word.size() >= 10 && word.size() <= 11 &&
         is_word_of(word.substr(0, 10), "-dlcbpsrwxStT") && word.contains('r');
}

/// Mode, links, owner, group, size, and then a path.
bool is_file_line(const Words& words) {
  const std::size_t first =
      words.size() > 2 && whole_number(words[0]) && whole_number(words[1]) ? 2 : 0;
  return words.size() >= first + 8 && is_mode(words[first]) && whole_number(words[first + 1]);
}

bool is_package_header(const Words& words) {
  return words.size() >= 3 && ((words[0] == "NAME" && words[1] == "(PUBLISHER)") ||
                               (words[0] == "Id" && words[1] == "Loadaddr"));
}

/// `pkg info` and Linux' modinfo: "          Name: driver/network/...", "filename:  /lib/...".
bool is_package_line(std::string_view line) {
  const std::string_view text = trim(line);
  return text.starts_with("FMRI: pkg:") || text.starts_with("filename:       /") ||
         text.starts_with("Name: driver/");
}

bool recognises(const Output& rest) {
  const Words& words = rest.words;
  return is_file_line(words) || is_package_header(words) ||
         is_package_line(rest.lines.front().text);
}

void read(const Output& output, Notes& notes) {
  bool is_listing = false;  // below a header every line belongs to it
  notes.each_line(output, [&](const Line& line) {
    const Words words = words_of(line.text);
    if (is_package_header(words) || is_package_line(line.text)) {
      is_listing = true;
    } else if (!is_listing && !is_file_line(words)) {
      return words.size() == 2 && words[0] == "total";
    }
    notes.package(line);
    return true;
  });
}

}  // namespace

namespace recognisers {
extern const Recogniser packages;
const Recogniser packages{"packages", std::nullopt, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
