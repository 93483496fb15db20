// SPDX-License-Identifier: Apache-2.0
// Any bytes as what a web server answers: header lines up to an empty one, then a body. Fields stay
// short, digests have their length; a copy of the body with one byte changed differs there and
// nowhere else, and the body itself does not.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "probe/fetch_body.h"
#include "probe/fetch_compare.h"
#include "probe/fetch_store.h"
#include "probe/http_answer.h"
#include "require.h"

namespace {

using namespace slowpath;
using namespace slowpath::probe;
using fuzz::require;

/// What follows the empty line.
std::string_view read_header(FetchedCopy& copy, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line == "\r") break;
    take_header_line(copy, line);
  }
  return text;
}

void check(const FetchedCopy& copy, std::size_t size) {
  for (const std::string* field : {&copy.etag, &copy.last_modified, &copy.content_encoding,
                                   &copy.content_type, &copy.software, &copy.via, &copy.age}) {
    require(field->size() <= 512);
  }
  require(copy.header_bytes <= size && copy.stated.size() <= size);
  for (const FetchDigest& digest : copy.stated) {
    require(digest.hex.size() == digest_hex_len(digest.algorithm));
    require(digest.hex.find_first_not_of("0123456789abcdef") == std::string::npos);
  }
}

BodyRecord pass(FetchStore& store, bool is_reference, KeepBudget& budget, Bytes body,
                std::size_t piece, FetchedCopy& copy) {
  FetchBody record(store, is_reference, budget);
  for (const FetchDigest& digest : copy.stated) record.want_digest(digest.algorithm);
  for (std::size_t at = 0; at < body.size(); at += piece) {
    record.add(body.subspan(at, std::min(piece, body.size() - at)));
  }
  copy.bytes = body.size();
  return record.finish(copy.digests);
}

/// The same body, and one with a byte changed, beside the first.
void compare(const FetchedCopy& answer, Bytes body, std::size_t dice) {
  static auto store = FetchStore::make(1 << 20);
  require(store.has_value());
  store->clear();
  KeepBudget budget;
  FetchFacts facts;
  facts.copies = {answer, answer, answer};
  std::vector<std::byte> other(body.begin(), body.end());
  const std::size_t at = body.empty() ? 0 : dice % body.size();
  if (!other.empty()) other[at] ^= std::byte{1};
  const std::size_t piece = 1 + dice % 5000;
  std::vector<ComparedBody> bodies(3);
  bodies[0] = {0, pass(*store, true, budget, body, piece, facts.copies[0]), true, false};
  bodies[1] = {1, pass(*store, false, budget, body, piece + 1, facts.copies[1]), false, false};
  bodies[2] = {2, pass(*store, false, budget, other, piece, facts.copies[2]), false, false};
  facts.block_bytes = kFetchBlock;
  compare_bodies(facts, bodies, *store, false, [](std::uint64_t, std::size_t) {
    return std::optional<std::vector<std::byte>>{};
  });
  require(facts.differences.size() == (body.empty() ? 0 : 1));
  for (const FetchDifference& difference : facts.differences) {
    require(difference.copy == 2 && difference.first == at && difference.last == at);
    require(difference.differing == 1 && difference.authority == FetchAuthority::majority);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t dice = data[0] + 256u * data[1];
  FetchedCopy copy;
  const std::string_view body =
      read_header(copy, {reinterpret_cast<const char*>(data) + 2, size - 2});
  check(copy, size);
  compare(copy, std::as_bytes(std::span(body)), dice);
  return 0;
}
