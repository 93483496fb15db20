// SPDX-License-Identifier: Apache-2.0
#include "probe/file_content.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "probe/base64.h"
#include "probe/digest.h"
#include "probe/served_session.h"

namespace slowpath::probe {
namespace {

constexpr Duration kAnswer = std::chrono::seconds{30};
constexpr Duration kTell = std::chrono::seconds{5};
// Four thirds of it, and the fields around, fit a message.
constexpr std::size_t kPiece = std::size_t{512} << 10U;
static_assert(kPiece / 3 * 4 + 4096 < kMostMessageBytes);

std::string hash_of(Bytes bytes) {
  Digest digest("sha256");
  digest.add(bytes);
  return digest.hex();
}

/// How many bytes the server has after this piece.
Result<std::uint64_t> give_piece(Session& session, Bytes all, std::size_t offset) {
  const Bytes piece = all.subspan(offset, std::min(kPiece, all.size() - offset));
  const auto answer = session.ask({{"type", "content"},
                                   {"total", all.size()},
                                   {"offset", offset},
                                   {"data", to_base64(piece)},
                                   {"sha256", hash_of(piece)}},
                                  "content", kAnswer);
  if (!answer) return std::unexpected(answer.error());
  Fields fields{*answer};
  const std::uint64_t have = fields.number("have", 0, all.size());
  if (auto read = fields.verdict(); !read) return std::unexpected(read.error());
  return have;
}

}  // namespace

Result<SharedBytes> read_content_file(const std::string& file) {
  const auto refuse = [&](std::string cause) {
    return fail(ErrorKind::input, "cannot send the content of " + file, std::move(cause));
  };
  std::ifstream stream{file, std::ios::binary};
  if (!stream) return refuse(std::strerror(errno));
  auto bytes = std::make_shared<std::vector<std::byte>>(kMostContentBytes);
  stream.read(reinterpret_cast<char*>(bytes->data()), static_cast<std::streamsize>(bytes->size()));
  if (stream.bad()) return refuse(std::strerror(errno));
  bytes->resize(static_cast<std::size_t>(stream.gcount()));
  if (bytes->empty()) return refuse("nothing can be read from it");
  bytes->shrink_to_fit();
  return bytes;
}

Result<void> give_content(Session& session, const SharedBytes& bytes) {
  constexpr std::string_view kAttempt = "cannot give the server the file's content";
  if (!session.knows("content"))
    return fail(ErrorKind::network, std::string{kAttempt},
                fmt::format("slowpath {} there does not take any", session.server_version()),
                "install the same version of slowpath at both ends, or leave out --content");
  GiftTries tries;
  for (std::size_t offset = 0; offset < bytes->size();) {
    const auto have = give_piece(session, *bytes, offset);
    if (!have) return std::unexpected(have.error());
    if (!tries.take(*have))
      return fail(
          ErrorKind::network, std::string{kAttempt},
          fmt::format("what stands at byte {} arrived changed {} times", offset, GiftTries::kMost),
          "the path alters what it carries: test it without --content, which says where");
    offset = static_cast<std::size_t>(*have);
  }
  return {};
}

/// The server's side (request_kinds.cc).
Result<void> answer_content(ServedSession& session, const Json& message) {
  Fields fields{message};
  const std::uint64_t total = fields.number("total", 1, kMostContentBytes);
  const std::uint64_t offset = fields.number("offset", 0, kMostContentBytes);
  const std::string data = fields.text("data", kMostMessageBytes);
  const std::string hash = fields.text("sha256", 64);
  if (auto read = fields.verdict(); !read)
    return session.control.send(error_message("request", read.error().cause), kTell);
  std::vector<std::byte>& coming = session.content.coming;
  if (offset == 0) {
    coming.clear();
    session.content.held.reset();
  }
  const auto piece = from_base64(data);
  const bool sound = piece && offset == coming.size() && coming.size() + piece->size() <= total &&
                     hash_of(*piece) == hash;
  if (sound) coming.insert(coming.end(), piece->begin(), piece->end());
  const std::uint64_t have = coming.size();
  if (sound && have == total) {
    session.content.held =
        std::make_shared<const std::vector<std::byte>>(std::exchange(coming, {}));
  }
  return session.control.send({{"type", "content"}, {"have", have}}, kTell);
}

}  // namespace slowpath::probe
