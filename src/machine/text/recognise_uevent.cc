// SPDX-License-Identifier: Apache-2.0
// /sys/class/net/DEV/uevent of Linux: what the kernel calls a device ("DEVTYPE=wlan"), its name and
// its number.
#include <string>
#include <string_view>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

constexpr std::string_view kType = "DEVTYPE=", kName = "INTERFACE=", kIndex = "IFINDEX=";

bool recognises(const Output& rest) {
  const std::string_view first = rest.lines.front().text;
  const std::string_view next = rest.lines.size() > 1 ? rest.lines[1].text : std::string_view();
  return first.starts_with(kType) ? next.starts_with(kName)
                                  : first.starts_with(kName) && next.starts_with(kIndex);
}

void read(const Output& output, Notes& notes) {
  std::string_view type, name;
  notes.each_line(output, [&](const Line& line) {
    const std::string_view text = line.text;
    if (text.starts_with(kType)) {
      type = text.substr(kType.size());
    } else if (text.starts_with(kName)) {
      name = text.substr(kName.size());
      InterfaceFacts& interface = notes.interface(name, line);
      if (type == "wlan" || type == "wwan") interface.properties["wireless"] = type;
    } else if (!text.starts_with(kIndex)) {
      return false;
    }
    return true;
  });
}

}  // namespace

namespace recognisers {
extern const Recogniser uevent;
const Recogniser uevent{"uevent", Platform::linux, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
