// SPDX-License-Identifier: Apache-2.0
#include "probe/fetch.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

#include <fmt/core.h>

#include "probe/digest.h"
#include "probe/fetch_body.h"
#include "probe/fetch_compare.h"
#include "probe/fetch_store.h"

namespace slowpath::probe {
namespace {

using Clock = std::chrono::steady_clock;

/// A server that ignores a range sends the whole file: no more than this is taken of it.
constexpr std::size_t kLongestAnswer = 2 * kFetchBlock;

/// One question: rounds of downloads, and what they are compared with.
class Rounds {
 public:
  Rounds(const FetchOptions& options, FetchStore store, bool has_file)
      : options_(options), store_(std::move(store)) {
    facts_.url = options.url;
    facts_.repeats = options.repeats;
    facts_.uploaded_file = options.upload_file;
    facts_.expected = options.expected;
    facts_.has_file = has_file;
    if (has_file) facts_.expected_bytes = store_.size();
  }

  Result<FetchFacts> run() {
    if (facts_.has_file) hash_file();
    for (round_ = 1; round_ <= options_.repeats && !is_stopped(); ++round_) {
      const Result<bool> goes_on = one_round();
      if (!goes_on) return std::unexpected(goes_on.error());
      if (!*goes_on) break;
    }
    facts_.interrupted = is_stopped();
    compare_bodies(facts_, bodies_, store_, facts_.has_file,
                   [this](std::uint64_t offset, std::size_t len) { return ask(offset, len); });
    return std::move(facts_);
  }

 private:
  [[nodiscard]] bool is_stopped() const {
    return options_.http.stop != nullptr && options_.http.stop->load();
  }

  void hash_file() {
    Digest digest("sha256");
    std::vector<std::byte> buffer(1 << 20);
    for (std::uint64_t at = 0; at < store_.size() && !is_stopped();) {
      const std::size_t got = store_.read(at, buffer);
      if (got == 0) break;
      digest.add(Bytes(buffer).first(got));
      at += got;
    }
    const std::string& name =
        options_.upload_file.empty() ? options_.expected_file : options_.upload_file;
    if (!facts_.expected) facts_.expected = FetchDigest{"sha256", digest.hex(), name};
  }

  /// False where going on makes no sense.
  Result<bool> one_round() {
    if (!options_.upload_file.empty()) {
      const Result<FetchEnd> sent = upload();
      if (!sent) return std::unexpected(sent.error());
      if (*sent != FetchEnd::complete) return false;
    }
    Result<bool> went = download();
    if (!went || !*went || options_.upload_file.empty()) return went;
    // A second look tells whether the server has it wrong, or the way down made it so.
    if (facts_.copies.back().end == FetchEnd::complete && !bodies_.back().is_expected) {
      return download();
    }
    return true;
  }

  HttpRequest request_with_progress(bool is_upload) {
    HttpRequest request;
    request.url = options_.url;
    if (!options_.progress) return request;
    request.progress = [this, is_upload, begin = Clock::now()](std::uint64_t bytes,
                                                               std::uint64_t total) {
      const std::chrono::duration<double> elapsed = Clock::now() - begin;
      options_.progress({.round = round_,
                         .rounds = options_.repeats,
                         .is_upload = is_upload,
                         .bytes = bytes,
                         .total_bytes = total,
                         .elapsed_s = elapsed.count()});
    };
    return request;
  }

  Result<FetchEnd> upload() {
    HttpRequest request = request_with_progress(true);
    request.upload_bytes = store_.size();
    request.upload = [this, at = std::uint64_t{0}](std::span<std::byte> into) mutable {
      const std::size_t got = store_.read(at, into);
      at += got;
      return got;
    };
    Result<FetchedCopy> copy = http_exchange(request, options_.http);
    if (!copy) return std::unexpected(copy.error());
    facts_.copies.push_back(std::move(*copy));
    return facts_.copies.back().end;
  }

  Result<bool> download() {
    const bool is_reference = !facts_.has_file && !has_reference_;
    if (is_reference) store_.clear();
    FetchBody body(store_, is_reference, budget_);
    HttpRequest request = request_with_progress(false);
    if (facts_.expected) body.want_digest(facts_.expected->algorithm);
    request.begin = [&body](const FetchedCopy& copy) {
      for (const FetchDigest& digest : copy.stated) body.want_digest(digest.algorithm);
    };
    request.sink = [&body](Bytes bytes) {
      body.add(bytes);
      return true;
    };
    Result<FetchedCopy> copy = http_exchange(request, options_.http);
    if (!copy) return std::unexpected(copy.error());
    BodyRecord record = body.finish(copy->digests);
    const bool is_whole = copy->end == FetchEnd::complete;
    has_reference_ = has_reference_ || (is_reference && is_whole);
    const bool came = is_whole || copy->bytes > 0;
    if (came) {
      bodies_.push_back({.copy = facts_.copies.size(),
                         .record = std::move(record),
                         .is_reference = is_reference && is_whole,
                         .is_expected = is_whole && is_as_expected(*copy)});
    }
    facts_.copies.push_back(std::move(*copy));
    return came;
  }

  [[nodiscard]] bool is_as_expected(const FetchedCopy& copy) const {
    return facts_.expected && std::ranges::any_of(copy.digests, [&](const FetchDigest& digest) {
             return digest.algorithm == facts_.expected->algorithm &&
                    digest.hex == facts_.expected->hex;
           });
  }

  std::optional<std::vector<std::byte>> ask(std::uint64_t offset, std::size_t len) {
    if (is_stopped()) return std::nullopt;
    std::vector<std::byte> bytes;
    HttpRequest request;
    request.url = options_.url;
    request.range = HttpRange{offset, len};
    request.sink = [&bytes](Bytes more) {
      bytes.insert(bytes.end(), more.begin(), more.end());
      return bytes.size() <= kLongestAnswer;
    };
    const Result<FetchedCopy> answer = http_exchange(request, options_.http);
    constexpr std::uint32_t kPartialContent = 206;
    if (!answer || answer->status != kPartialContent || bytes.size() != len) return std::nullopt;
    return bytes;
  }

  const FetchOptions& options_;
  FetchStore store_;
  FetchFacts facts_;
  std::vector<ComparedBody> bodies_;
  KeepBudget budget_;
  std::uint32_t round_ = 0;
  bool has_reference_ = false;
};

}  // namespace

Result<FetchFacts> fetch(const FetchOptions& options) {
  const std::string& file =
      options.upload_file.empty() ? options.expected_file : options.upload_file;
  Result<FetchStore> store =
      file.empty() ? FetchStore::make(options.spool_bytes) : FetchStore::open(file);
  if (!store) return std::unexpected(store.error());
  return Rounds(options, std::move(*store), !file.empty()).run();
}

}  // namespace slowpath::probe
