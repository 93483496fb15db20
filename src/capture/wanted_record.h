// SPDX-License-Identifier: Apache-2.0
// Which records a walk leaves out: see PassingOver::next_wanted().
#pragma once

#include "base/bytes.h"
#include "base/hash_filter.h"
#include "wire/common_segment.h"

namespace slowpath::capture {

/// False for segments of connections that are not wanted; true for all that is no plain segment.
inline bool may_be_wanted(const HashFilter& wanted, wire::LinkType link_type, Bytes bytes) {
  using wire::CommonSegment;
  if (link_type != wire::LinkType::ethernet || !CommonSegment::is_tcp4(bytes)) [[unlikely]]
    return true;
  return wanted.may_contain(CommonSegment::quick_hash(bytes));
}

}  // namespace slowpath::capture
