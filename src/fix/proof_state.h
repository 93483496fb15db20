// SPDX-License-Identifier: Apache-2.0
// What a proof has measured so far, beside the journal and synced, so that it goes on after a kill
// or a restart of the machine. One proof at a time is kept.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "fix/journal.h"
#include "fix/prove.h"

namespace slowpath::fix {

/// A proof that was begun.
struct ProofState {
  std::string action, measure;  // the step and the command: another proof is another question
  bool smaller_is_better = false;
  std::string boot_id;  // under which the last pair was measured
  std::vector<Pair> pairs;

  [[nodiscard]] bool is_same_question(const ProofState& other) const {
    return action == other.action && measure == other.measure &&
           smaller_is_better == other.smaller_is_better;
  }
};

/// nullopt where none was begun, or what is there cannot be read.
std::optional<ProofState> read_proof(const Journal& journal);
/// Errors: environment.
Result<void> write_proof(const Journal& journal, const ProofState& state);
/// It came to its end.
void forget_proof(const Journal& journal);

}  // namespace slowpath::fix
