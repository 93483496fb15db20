// SPDX-License-Identifier: Apache-2.0
// Any bytes as what commands printed: read, bounded, and the same when read again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "machine/text.h"
#include "machine/text/reader.h"
#include "require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace slowpath;
  const std::string_view content(reinterpret_cast<const char*>(data), size);
  MachineFacts facts;
  machine::read_text("input", content, facts);
  fuzz::require(facts.not_understood.size() <= machine::text::Notes::kMaxNotUnderstood + 1);
  fuzz::require(facts.settings.size() + facts.interfaces.size() + facts.sockets.size() +
                    facts.routes.size() + facts.measured.size() <=
                size);
  for (const NotUnderstood& each : facts.not_understood) fuzz::require(each.text.size() <= 120);
  for (const InterfaceFacts& each : facts.interfaces) fuzz::require(!each.name.empty());

  MachineFacts again;
  machine::read_text("input", content, again);
  fuzz::require(again.settings.size() == facts.settings.size() &&
                again.counters.size() == facts.counters.size() &&
                again.not_understood.size() == facts.not_understood.size());
  return 0;
}
