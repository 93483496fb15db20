// SPDX-License-Identifier: Apache-2.0
#include "probe/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probe/preamble.h"
#include "probe/secret.h"

namespace slowpath::probe {
namespace {

using ::testing::HasSubstr;

Bytes bytes_of(const std::string& text) { return std::as_bytes(std::span{text}); }

TEST(Message, PassesInPiecesOfAnySize) {
  const std::string frames =
      frame_of({{"type", "one"}, {"n", 1}}) + frame_of({{"type", "two"}, {"text", "äöü"}});
  for (std::size_t piece = 1; piece <= frames.size(); ++piece) {
    FrameReader reader;
    std::vector<std::string> types;
    for (std::size_t at = 0; at < frames.size(); at += piece) {
      reader.feed(bytes_of(frames).subspan(at, std::min(piece, frames.size() - at)));
      while (true) {
        auto message = reader.next();
        ASSERT_TRUE(message.has_value());
        if (!message->has_value()) break;
        types.push_back(type_of(**message));
      }
    }
    ASSERT_EQ(types, (std::vector<std::string>{"one", "two"}));
  }
}

TEST(Message, LengthIsBoundedBeforeAnythingIsKept) {
  FrameReader reader{100};
  reader.feed(bytes_of(std::string{"\xff\xff\xff\xff", 4}));
  const auto message = reader.next();
  ASSERT_FALSE(message.has_value());
  EXPECT_EQ(message.error().kind, ErrorKind::network);
}

TEST(Message, OnlyObjectsWithATypePass) {
  for (const char* text :
       {"", "1", "[]", "null", "{}", "{\"type\":1}", "{\"type\":{}}", "{\"type\":\"a\"",
        "{\"type\":\"0123456789012345678901234567890123456789x\"}", "\xff\xfe"})
    EXPECT_FALSE(parse_message(text).has_value()) << text;
  EXPECT_TRUE(parse_message("{\"type\":\"a\"}").has_value());
}

TEST(Message, DepthIsBounded) {
  const std::string deep = "{\"type\":\"a\",\"x\":" + std::string(500'000, '[');
  EXPECT_FALSE(parse_message(deep).has_value());
  EXPECT_TRUE(
      parse_message("{\"type\":\"a\",\"x\":\"" + std::string(100, '[') + "\"}").has_value());
}

TEST(Message, FieldsOfAnotherTypeAreRefusedByName) {
  const Json message{{"type", "t"}, {"n", "12"}, {"negative", -1}, {"real", 1.5},
                     {"text", 3},   {"flag", 1}, {"big", 300},     {"list", {1, 2}}};
  const auto fault = [&](auto read) {
    Fields fields{message};
    read(fields);
    EXPECT_FALSE(fields.ok());
    return fields.verdict().error().cause;
  };
  EXPECT_THAT(fault([](Fields& f) { f.number("n", 0, 99); }), HasSubstr("\"n\""));
  EXPECT_THAT(fault([](Fields& f) { f.number("missing", 0, 99); }), HasSubstr("\"missing\""));
  fault([](Fields& f) { f.number("negative", 0, 99); });
  fault([](Fields& f) { f.number("real", 0, 99); });
  fault([](Fields& f) { f.number("big", 0, 255); });
  fault([](Fields& f) { f.number("list", 0, 99); });
  fault([](Fields& f) { f.text("text", 10); });
  fault([](Fields& f) { f.text("missing", 10); });
  fault([](Fields& f) { f.text("n", 1); });
  fault([](Fields& f) { f.flag_or("flag", false); });
  fault([](Fields& f) { f.real_or("real", 0, 0, 1); });
  Fields fields{message};
  EXPECT_EQ(fields.number_or("missing", 7, 99), 7U);
  EXPECT_EQ(fields.real_or("real", 0, 0, 2), 1.5);
  EXPECT_TRUE(fields.ok());
}

TEST(Preamble, ComesBackAsItWas) {
  const Preamble data{
      .kind = ConnectionKind::data, .stream = 513, .session = "00112233445566778899aabbccddeeff"};
  const auto again = decode_preamble(encode(data));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->kind, ConnectionKind::data);
  EXPECT_EQ(again->stream, 513);
  EXPECT_EQ(again->session, data.session);
  auto wrong = encode(data);
  wrong[12] = std::byte{9};
  EXPECT_FALSE(decode_preamble(wrong).has_value());
  EXPECT_FALSE(may_become_preamble(bytes_of(std::string{"GET / HTTP/1.1"})));
}

TEST(Secret, ProofDependsOnEverything) {
  const std::string proof = proof_of("secret", Role::client, "a", "b");
  EXPECT_EQ(proof.size(), 64U);
  EXPECT_TRUE(same_proof(proof, proof_of("secret", Role::client, "a", "b")));
  for (const std::string& other :
       {proof_of("secrez", Role::client, "a", "b"), proof_of("secret", Role::server, "a", "b"),
        proof_of("secret", Role::client, "b", "a"), std::string{}, proof.substr(1)})
    EXPECT_FALSE(same_proof(proof, other));
  EXPECT_NE(random_hex(16), random_hex(16));
}

}  // namespace
}  // namespace slowpath::probe
