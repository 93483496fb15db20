// SPDX-License-Identifier: Apache-2.0
// Texts that are cut, mixed, damaged or hostile; files and directories; the scripts of --collect.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <set>

#include "machine/text/command.h"
#include "machine/text/lines.h"
#include "machine/text/reader.h"
#include "unit/machine/text/text_reader.h"

namespace slowpath::machine {
namespace {

const std::string kFixtures[] = {"windows8.txt", "powershell.txt", "linux.txt",  "solaris.txt",
                                 "esxi.txt",     "tests.txt",      "iperf3.json"};

std::size_t told_of(const MachineFacts& facts) {
  return facts.settings.size() + facts.counters.size() + facts.interfaces.size() +
         facts.measured.size() + facts.routes.size() + facts.sockets.size();
}

void expect_sane(const MachineFacts& facts, std::size_t size) {
  EXPECT_LE(facts.not_understood.size(), text::Notes::kMaxNotUnderstood + 1);
  EXPECT_LE(facts.interfaces.size(), size);
  for (const NotUnderstood& each : facts.not_understood) EXPECT_LE(each.text.size(), 120U);
}

/// Each command line with its output.
std::vector<std::string> blocks_of(const std::string& whole) {
  std::vector<std::string> blocks(1);
  for (const text::Line& line : text::split_lines(whole)) {
    if (text::prompt_line_of(line.text)) blocks.emplace_back();
    blocks.back().append(line.text).push_back('\n');
  }
  return blocks;
}

TEST(DamagedText, EveryOutputTruncatedAtEveryLength) {
  for (const std::string& name : kFixtures) {
    for (const std::string& block : blocks_of(fixture(name))) {
      SCOPED_TRACE(name + ": " + block.substr(0, block.find('\n')));
      const std::size_t told = told_of(facts_of(block));
      for (std::size_t length = 0; length < block.size(); ++length) {
        const MachineFacts facts = facts_of(std::string_view(block).substr(0, length));
        expect_sane(facts, length);
        EXPECT_LE(told_of(facts), told + 1) << length;  // a name that is cut may be a new one
      }
    }
  }
}

TEST(DamagedText, EveryCutOfAnOddUtf16File) {
  std::string wide = "\xFF\xFE";
  for (const char each : fixture("windows8.txt").substr(0, 900)) (wide += each) += '\0';
  for (std::size_t length = 0; length <= wide.size(); ++length) {
    expect_sane(facts_of(std::string_view(wide).substr(0, length)), wide.size());
  }
}

TEST(DamagedText, RandomBytesAndFlippedBits) {
  std::mt19937 random(20261120);
  for (const std::string& name : kFixtures) {
    const std::string whole = fixture(name);
    for (int round = 0; round < 20; ++round) {
      std::string damaged = whole;
      for (int each = 0; each < 40; ++each) {
        damaged[random() % damaged.size()] = static_cast<char>(random() & 0xFF);
      }
      expect_sane(facts_of(damaged), damaged.size());
    }
  }
  for (int round = 0; round < 50; ++round) {
    std::string noise(random() % 4000, ' ');
    for (char& each : noise) each = static_cast<char>(random() & 0xFF);
    expect_sane(facts_of(noise), noise.size());
  }
}

TEST(DamagedText, NothingIsLostSilently) {
  std::string many;
  for (int line = 0; line < 1000; ++line) many += "gibberish number " + std::to_string(line) + "\n";
  const MachineFacts facts = facts_of(many);
  ASSERT_EQ(facts.not_understood.size(), text::Notes::kMaxNotUnderstood + 1);
  EXPECT_EQ(facts.not_understood.back().text, "and from here 800 more lines");
  EXPECT_EQ(facts.not_understood.back().line, text::Notes::kMaxNotUnderstood + 1);
  EXPECT_TRUE(facts_of("\n\n------\n# \n   \n====\n").not_understood.size() <= 1);
}

TEST(DamagedText, DeepJsonIsRefusedWithoutRecursion) {
  const MachineFacts facts =
      facts_of("{ \"start\": { \"version\": \"iperf 3.9\" }, \"x\": " + std::string(200000, '['));
  EXPECT_TRUE(facts.measured.empty());
  EXPECT_EQ(facts.not_understood.size(), 1U);
}

TEST(DamagedText, OutputsFollowOneAnotherWithoutCommands) {
  const MachineFacts facts = facts_of(
      "Features for eth0:\nrx-checksumming: off\nRing parameters for eth0:\nPre-set maximums:\n"
      "RX:\t512\nCurrent hardware settings:\nRX:\t64\nnet.core.rmem_max = 5\n"
      "TcpRetransSegs   7  0.0\ndefault via 192.0.2.1 dev eth0\n");
  EXPECT_FALSE(interface_in(facts, "eth0").features.at("rx-checksum").on);
  EXPECT_EQ(interface_in(facts, "eth0").rings.rx, 64U);
  EXPECT_EQ(setting(facts, "net.core.rmem_max"), "5");
  EXPECT_EQ(counter(facts, "TcpRetransSegs"), 7);
  EXPECT_EQ(facts.routes.size(), 1U);
  EXPECT_TRUE(facts.not_understood.empty());
}

TEST(DamagedText, TextsOfTwoSystemsAreTold) {
  MachineFacts facts = facts_of(fixture("linux.txt"));
  read_text("other.txt", fixture("solaris.txt"), facts);
  EXPECT_EQ(facts.platform, Platform::linux);
  EXPECT_EQ(std::ranges::count(facts.unread, "texts of solaris", &Unread::what), 1);
}

TEST(TextFiles, DirectoriesAndWhatIsMissing) {
  const std::string folder = std::string(SLOWPATH_SOURCE_DIR) + "/tests/unit/machine/text/fixtures";
  const auto mixed = read_texts(std::vector<std::string>{folder});
  ASSERT_FALSE(mixed);
  EXPECT_EQ(mixed.error().kind, ErrorKind::input);
  EXPECT_NE(mixed.error().message().find("give the texts of each host apart"), std::string::npos);
  const auto both =
      read_texts(std::vector<std::string>{folder + "/linux.txt", folder + "/iperf3.json"});
  ASSERT_TRUE(both) << both.error().message();
  EXPECT_FALSE(both->settings.empty());
  EXPECT_FALSE(both->measured.empty());
  const auto one = read_texts(std::vector<std::string>{folder + "/esxi.txt"});
  ASSERT_TRUE(one);
  EXPECT_EQ(find_setting(*one, "esx./Net/UseHwTSO")->origin.where.substr(0, 14), "esxi.txt, line");
  const auto missing = read_texts(std::vector<std::string>{folder + "/no such file"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::input);
  EXPECT_NE(missing.error().message().find("no such file"), std::string::npos);
}

TEST(TextFiles, OfTwoHostsAreNotTakenForOnes) {
  const auto folder =
      std::filesystem::path(testing::TempDir()) / ("slowpath_hosts_" + std::to_string(getpid()));
  const auto write = [&](const char* name, const std::string& host) {
    std::ofstream(folder / name) << "### slowpath: uname -a\nLinux " << host
                                 << " 6.1.0-18-amd64 #1 SMP x86_64 GNU/Linux\n"
                                    "### slowpath: sysctl -a\nnet.ipv4.tcp_sack = 1\n";
  };
  const auto read = [&] { return read_texts(std::vector<std::string>{folder.string()}); };
  std::filesystem::create_directories(folder / "below");
  ASSERT_FALSE(read());
  EXPECT_NE(read().error().message().find("it holds directories and no file"), std::string::npos);
  write("a.txt", "web7");
  write("b.txt", "Web7.example.com");
  std::ofstream(folder / "c.txt") << "net.ipv4.tcp_mtu_probing = 1\n";  // says no name
  ASSERT_TRUE(read()) << read().error().message();
  EXPECT_EQ(read()->name, "web7");
  ASSERT_EQ(read()->unread.size(), 1U);
  EXPECT_EQ(read()->unread[0].why, "only the files of a directory are read");
  write("d.txt", "db1");
  ASSERT_FALSE(read());
  EXPECT_NE(read().error().message().find("a.txt is of web7, and d.txt is of db1"),
            std::string::npos)
      << read().error().message();
  std::filesystem::remove_all(folder);
}

TEST(TextFiles, AnEmptyFileSaysNothing) {
  const auto path =
      std::filesystem::path(testing::TempDir()) / ("slowpath_empty_" + std::to_string(getpid()));
  std::ofstream(path).close();
  const auto facts = read_texts(std::vector<std::string>{path.string()});
  ASSERT_TRUE(facts);
  EXPECT_EQ(told_of(*facts), 0U);
  std::filesystem::remove(path);
}

TEST(CommandLines, PromptsOfEachPlatform) {
  const auto words = [](std::string_view line) {
    const auto prompt = text::prompt_line_of(line);
    return prompt ? prompt->command.words : std::vector<std::string>{"(output)"};
  };
  using Words = std::vector<std::string>;
  EXPECT_EQ(words("C:\\Users\\x>netsh int tcp show global"),
            (Words{"netsh", "int", "tcp", "show", "global"}));
  EXPECT_EQ(words("PS C:\\> Get-NetAdapter"), (Words{"get-netadapter"}));
  EXPECT_EQ(words("root@host:~# ethtool -k eth0"), (Words{"ethtool", "-k", "eth0"}));
  EXPECT_EQ(words("[root@host ~]$ sudo /sbin/ip -d link"), (Words{"ip", "-d", "link"}));
  EXPECT_EQ(words("[root@esx01:~] esxcli network nic list"),
            (Words{"esxcli", "network", "nic", "list"}));
  EXPECT_EQ(words("### slowpath: ndd -get /dev/tcp tcp_max_buf"),
            (Words{"ndd", "-get", "/dev/tcp", "tcp_max_buf"}));
  EXPECT_EQ(words("==> /proc/net/snmp <=="), (Words{"cat", "/proc/net/snmp"}));
  EXPECT_EQ(words("root@host:~#"), Words{});
  for (const char* output :
       {"eth0@if5: <BROADCAST> mtu 1500", "#kernel", "##net.core.rmem_default = 33554432",
        "--- 192.0.2.9 ping statistics ---", "-rw-r--r-- 1 root root 5 Mar 27 01:42 x",
        "Receive-Side Scaling State : enabled", "16:44:13.416153 IP a.1 > b.2: Flags [S]"}) {
    EXPECT_EQ(words(output), Words{"(output)"}) << output;
  }
}

TEST(Collect, ScriptsReadOnlyAndNameTheirCommands) {
  // Nothing that sets, restarts or removes.
  const std::set<std::string> forbidden = {"set",   "-set", "add", "del",      "delete", "change",
                                           "flush", "rm",   "-w",  "set-prop", "reset"};
  for (const Platform platform :
       {Platform::linux, Platform::windows, Platform::solaris, Platform::esxi}) {
    SCOPED_TRACE(to_string(platform));
    const std::string script = collect_script(platform);
    EXPECT_TRUE(script.contains("### slowpath: "));
    std::size_t commands = 0;
    for (const text::Line& line : text::split_lines(script)) {
      const bool is_run = line.text.starts_with("run ") || line.text.starts_with("  run ");
      if (!is_run && !line.text.starts_with("Get-") && !line.text.starts_with("netsh")) continue;
      ++commands;
      std::string word;
      for (const char each : std::string(line.text) + " ") {
        if (each != ' ') {
          word.push_back(each);
          continue;
        }
        EXPECT_FALSE(forbidden.contains(word)) << line.text;
        word.clear();
      }
    }
    EXPECT_GE(commands, 6U);
  }
  EXPECT_EQ(collect_script(Platform::any), "");
}

TEST(Recognisers, EachHasANameAndBothFunctions) {
  std::set<std::string_view> names;
  for (const text::Recogniser* each : text::all_recognisers()) {
    EXPECT_TRUE(names.insert(each->name).second) << each->name;
    EXPECT_NE(each->recognises, nullptr);
    EXPECT_NE(each->read, nullptr);
  }
  EXPECT_GE(names.size(), 25U);
}

}  // namespace
}  // namespace slowpath::machine
