// SPDX-License-Identifier: Apache-2.0
#include "fix/proof_state.h"

#include <unistd.h>

#include <fstream>

#include "base/json.h"
#include "base/json_text.h"

namespace slowpath::fix {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kSchema = "slowpath.fix-proof-state.v1";

// No number, so that it is taken for no entry of the journal.
std::string path_of(const Journal& journal) { return journal.directory() + "/proof"; }

}  // namespace

std::optional<ProofState> read_proof(const Journal& journal) {
  std::ifstream stream(path_of(journal), std::ios::binary);
  if (!stream) return std::nullopt;
  try {
    const Json json = parse_ordered_json(stream);
    if (json.at("schema").get<std::string>() != kSchema) return std::nullopt;
    ProofState state{json.at("action").get<std::string>(),
                     json.at("measure").get<std::string>(),
                     json.at("smaller_is_better").get<bool>(),
                     json.at("boot_id").get<std::string>(),
                     {}};
    for (const Json& pair : json.at("pairs"))
      state.pairs.push_back({pair.at("without").get<double>(), pair.at("with").get<double>(),
                             pair.value("wrong_without", false)});
    return state;
  } catch (const std::exception&) {
    // Half a proof can be measured again; it changes nothing.
    return std::nullopt;
  }
}

Result<void> write_proof(const Journal& journal, const ProofState& state) {
  Json pairs = Json::array();
  for (const Pair& pair : state.pairs)
    pairs.push_back(
        {{"without", pair.without}, {"with", pair.with}, {"wrong_without", pair.wrong_without}});
  const Json json{{"schema", kSchema},        {"action", state.action},
                  {"measure", state.measure}, {"smaller_is_better", state.smaller_is_better},
                  {"boot_id", state.boot_id}, {"pairs", pairs}};
  return write_synced(path_of(journal), json_document(json));
}

void forget_proof(const Journal& journal) { unlink(path_of(journal).c_str()); }

}  // namespace slowpath::fix
