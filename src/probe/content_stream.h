// SPDX-License-Identifier: Apache-2.0
// Content (pattern.h) as what a transfer sends and checks.
#pragma once

#include <cstdint>

#include "base/descriptor.h"
#include "base/result.h"
#include "probe/checker.h"
#include "probe/transfer.h"

namespace slowpath::probe {

class ContentSource final : public BlockSource {
 public:
  explicit ContentSource(Content content) : content_(std::move(content)) {}
  void fill(std::span<std::byte> block, std::uint64_t offset) override {
    content_.fill(block, offset);
  }

 private:
  Content content_;
};

class CheckingSink final : public BlockSink {
 public:
  explicit CheckingSink(Content content) : checker_(std::move(content)) {}
  void take(Bytes bytes, std::uint64_t) override { checker_.take(bytes); }
  [[nodiscard]] const IntegrityFacts& facts() const { return checker_.facts(); }

 private:
  Checker checker_;
};

/// The first `bytes` of the content in a file that is only in memory, for sendfile(2).
Result<Descriptor> make_content_file(const Content& content, std::uint64_t bytes);

}  // namespace slowpath::probe
