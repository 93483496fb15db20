// SPDX-License-Identifier: Apache-2.0
// Opening: what is no capture gets one sentence that says what it is and what to do.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/capture/compress.h"

namespace slowpath::capture {
namespace {

using namespace testing;
using ::testing::AllOf;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class Folder : public ::testing::Test {
 protected:
  Folder() : path_(fs::temp_directory_path() / ("slowpath-open-" + std::to_string(getpid()))) {
    fs::create_directories(path_);
  }
  ~Folder() override { fs::remove_all(path_); }

  std::string write(const std::string& name, Bytes bytes) {
    const fs::path path = path_ / name;
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    return path.string();
  }
  static std::string error_of(const std::string& name) {
    const auto source = open_capture(name, 0);
    EXPECT_FALSE(source.has_value()) << name;
    if (source) return "";
    EXPECT_EQ(source.error().kind, ErrorKind::input);
    EXPECT_THAT(source.error().attempt, HasSubstr(name));
    return source.error().message();
  }

  fs::path path_;
};

using Open = Folder;

TEST_F(Open, FilesAreMappedAndReadLikeMemory) {
  const Buffer file = PcapFile().frames(100).bytes();
  auto source = std::move(*open_capture(write("a.pcap", as_bytes(file)), 7));
  EXPECT_TRUE(source->stable_bytes());
  const auto seen = read_all(*source);
  EXPECT_EQ(seen.size(), 100u);
  EXPECT_EQ(seen[0].frame.input, 7);
  EXPECT_EQ(source->info().file_bytes, file.size());
  EXPECT_EQ(source->position(), file.size());
}

TEST_F(Open, CompressionIsToldByContentNotByName) {
  for (const char* how : {"gzip", "zstd", "lz4", "xz", ""}) {
    const Buffer file = compress(how, as_bytes(PcapFile().frames(10).bytes()));
    auto source = std::move(*open_capture(write("misleading.bz2", as_bytes(file)), 0));
    EXPECT_EQ(read_all(*source).size(), 10u);
    EXPECT_EQ(source->info().compression, how);
    EXPECT_EQ(source->position(), source->info().file_bytes);
  }
}

TEST_F(Open, MissingDirectoryAndEmpty) {
  EXPECT_THAT(error_of((path_ / "missing.pcap").string()), HasSubstr("No such file"));
  EXPECT_THAT(error_of(path_.string()), HasSubstr("is a directory"));
  EXPECT_THAT(error_of(write("empty.pcap", {})), HasSubstr("is empty"));
}

TEST_F(Open, NoPermission) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read every file";
  const std::string name = write("secret.pcap", as_bytes(PcapFile().bytes()));
  chmod(name.c_str(), 0);
  EXPECT_THAT(error_of(name), HasSubstr("Permission denied"));
}

TEST_F(Open, CutInTheFileHeader) {
  const Buffer pcap = PcapFile().bytes();
  EXPECT_THAT(error_of(write("a.pcap", as_bytes(pcap).first(20))), HasSubstr("20 of 24 bytes"));
  const Buffer pcapng = PcapngFile().section().bytes();
  EXPECT_THAT(error_of(write("a.pcapng", as_bytes(pcapng).first(20))), HasSubstr("cut short"));
  const Buffer snoop = SnoopFile().bytes();
  EXPECT_THAT(error_of(write("a.snoop", as_bytes(snoop).first(12))), HasSubstr("cut short"));
}

struct Foreign {
  std::string_view head;
  const char* name;
  const char* hint;
};

TEST_F(Open, ForeignFormatsAreNamedAndConverted) {
  using namespace std::string_view_literals;
  const Foreign cases[] = {
      {"GMBU\0\2"sv, "Network Monitor 2.x", "editcap"},
      {"RTSS\1\1"sv, "Network Monitor 1.x", "editcap"},
      {"TRSNIFF data    \x1a"sv, "Sniffer", "editcap"},
      {"XCP\0002.002"sv, "NetXRay", "editcap"},
      {"EyeSDN\0\0"sv, "EyeSDN", "editcap"},
      {"+---------+---------------+----------+\r\n"sv, "K12", "editcap"},
      {"\1\x10\x4c\0\1\5"sv, "LANalyzer", "editcap"},
      {"\xaa\xaa\xaa\xaa\1\0\0\0"sv, "5Views", "editcap"},
      {"iptrace 2.0"sv, "iptrace", "editcap"},
      {"TR\0d\0"sv, "nettl", "editcap"},
      {"btsnoop\0\0\0\0\1"sv, "Bluetooth", ""},
      {"PK\3\4\x14"sv, "ZIP", "unzip"},
      {"7z\xbc\xaf\x27\x1c"sv, "7-Zip", "7z x"},
      {"BZh91AY"sv, "bzip2", "bunzip2"},
      {"MSCF\0\0"sv, "cabinet", "etl2pcapng"},
      {"[{\"_index\": 1}]"sv, "JSON", "capture itself"},
      {"<!DOCTYPE html>"sv, "HTML", "fetch"},
      {"12:00:00.000000 IP 10.0.0.1.80 > 10.0.0.2.9: Flags [S]\n"sv, "tcpdump prints", "-w FILE"},
      {"hello\nworld\n"sv, "plain text", "tcpdump -w"},
      {"\xff\xfeh\0e\0"sv, "UTF-16", "capture itself"},
      {"\0\0\0\0\0\0\0\0"sv, "zeros", "fetch"},
      {"\x93\x01\x02\x88\x99\x10"sv, "no capture in a format known here", "pcapng"},
  };
  for (const Foreign& foreign : cases) {
    const Buffer bytes = PcapngFile::bytes_of(foreign.head);
    EXPECT_THAT(error_of(write("file.pcap", as_bytes(bytes))),
                AllOf(HasSubstr(foreign.name), HasSubstr(foreign.hint)));
  }
}

TEST_F(Open, TarArchiveAlsoInsideGzip) {
  Buffer tar(512);
  const Buffer mark = PcapngFile::bytes_of("ustar");
  std::ranges::copy(mark, tar.begin() + 257);
  tar[0] = std::byte{'a'};
  EXPECT_THAT(error_of(write("a.tar", as_bytes(tar))), HasSubstr("tar archive"));
  EXPECT_THAT(error_of(write("a.tgz", as_bytes(compress("gzip", as_bytes(tar))))),
              AllOf(HasSubstr("gzip"), HasSubstr("tar archive")));
}

TEST_F(Open, WindowsEventTrace) {
  Writer trace(false);
  trace.u32(65536).u32(4000).u32(4000);
  while (trace.size() < 72) trace.u8(0);
  trace.u16(2).u8(2).u8(0xc0).raw(as_bytes(payload(200)));
  EXPECT_THAT(error_of(write("a.pcap", as_bytes(trace.bytes()))),
              AllOf(HasSubstr(".etl"), HasSubstr("etl2pcapng")));
}

TEST_F(Open, EndaceErf) {
  Writer erf(false);
  for (unsigned i = 0; i < 4; ++i) {
    erf.u32(i).u32(kStart).u8(2).u8(0).u8(0).u8(80).u16(0).u16(0).raw(as_bytes(payload(64)));
  }
  EXPECT_THAT(error_of(write("a.erf", as_bytes(erf.bytes()))), HasSubstr("ERF"));
}

// Reads every capture given to us for this purpose; none may crash, hang or lose bytes silently.
TEST(SharedCaptures, AllOpenOrSayWhyNot) {
  const fs::path root = fs::path(SLOWPATH_SOURCE_DIR).parent_path() / "shared" / "captures";
  const fs::path beside_main =
      fs::path(SLOWPATH_SOURCE_DIR).parent_path().parent_path() / "shared" / "captures";
  const fs::path captures = fs::exists(root) ? root : beside_main;
  if (!fs::exists(captures)) GTEST_SKIP() << "../shared/captures is not there";
  unsigned opened = 0, refused = 0;
  for (const auto& entry : fs::recursive_directory_iterator(captures)) {
    if (!entry.is_regular_file()) continue;
    auto source = open_capture(entry.path().string(), 0);
    if (!source) {
      ++refused;
      EXPECT_FALSE(source.error().cause.empty()) << entry.path();
      continue;
    }
    ++opened;
    wire::Frame frame;
    std::uint64_t bytes = 0;
    while ((*source)->next(frame)) bytes += frame.bytes.size();
    const SourceInfo& info = (*source)->info();
    EXPECT_LE(bytes + info.damaged_bytes, info.bytes_read) << entry.path();
    EXPECT_EQ((*source)->position(), info.file_bytes) << entry.path();
  }
  EXPECT_GT(opened, 250u);
  EXPECT_LT(refused, 60u);
}

}  // namespace
}  // namespace slowpath::capture
