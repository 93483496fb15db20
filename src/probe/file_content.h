// SPDX-License-Identifier: Apache-2.0
// Content from a file: its beginning is given to the server before the transfer, so that both ends
// know every byte. It travels over the very path that is tested, so each piece goes with its hash,
// and one that came damaged is sent again. As base64, so that what harms the file's own bytes, and
// nothing else, does not harm the gift.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "probe/session.h"

namespace slowpath::probe {

using SharedBytes = std::shared_ptr<const std::vector<std::byte>>;

/// A session's memory for it, at the server.
inline constexpr std::uint64_t kMostContentBytes = std::uint64_t{8} << 20U;

/// The first kMostContentBytes of a file. Kind input where it cannot be read or is empty.
Result<SharedBytes> read_content_file(const std::string& file);

/// Makes the server of a session hold these bytes, for transfers with content "file". Kind network
/// where it does not know how, or where a piece arrives damaged again and again.
Result<void> give_content(Session& session, const SharedBytes& bytes);

/// Whether a gift goes on: each answer that brings nothing new is a try, whatever it says.
class GiftTries {
 public:
  static constexpr int kMost = 5;
  /// What the server says it has. False: there were enough.
  bool take(std::uint64_t have) {
    tries_ = have > furthest_ ? 0 : tries_ + 1;
    furthest_ = std::max(furthest_, have);
    return tries_ < kMost;
  }

 private:
  std::uint64_t furthest_ = 0;
  int tries_ = 0;
};

/// At the server: what has come so far of a gift, in order.
struct ContentInbox {
  std::vector<std::byte> coming;
  SharedBytes held;  // a gift that came whole; nullptr without one
};

}  // namespace slowpath::probe
