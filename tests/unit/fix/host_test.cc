// SPDX-License-Identifier: Apache-2.0
// Steps on a real kernel, in a network namespace of their own: features, MTU and sysctls are really
// turned, a process is really killed in the middle, and a snapshot of everything is the same
// afterwards.
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "fix/apply.h"
#include "fix/guard.h"
#include "fix/mss_clamp.h"
#include "fix/persist.h"
#include "fix/plan.h"
#include "fix/qdisc_knob.h"
#include "unit/fix/scratch.h"

namespace slowpath::test {
namespace {

/// Runs `body` in a process with a network namespace of its own that holds a veth pair. Its exit
/// code is what it returns; 77 where there can be no such namespace.
int in_namespace(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    if (unshare(CLONE_NEWNET) != 0 ||
        system("ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up "
               "&& ip addr add 10.77.0.1/24 dev v0 && ip -6 addr add fd77::1/64 dev v0 nodad && "
               "ip route add default via 10.77.0.254 dev v0 metric 100 initrwnd 20 && ip route add "
               "10.78.0.0/16 via 10.77.0.7 dev v0 src 10.77.0.1 mtu lock 1300 && "
               "ip tuntap add dev t0 mode tap && ip link set t0 up && "
               "tc qdisc add dev v1 root handle 7: pfifo limit 500") != 0)
      _exit(77);
    _exit(body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// What another program says of the host.
std::string printed(const char* command) {
  FILE* pipe = popen(command, "r");
  std::string text;
  for (int c = 0; pipe != nullptr && (c = fgetc(pipe)) != EOF;) text += static_cast<char>(c);
  if (pipe != nullptr) pclose(pipe);
  return text;
}

std::map<std::string, std::string> snapshot(fix::Kernel& kernel) {
  std::map<std::string, std::string> values;
  const auto keep = [&](const fix::Knob& knob) {
    values[to_string(knob)] = kernel.read(knob).value_or("?");
  };
  for (const char* interface : {"v0", "v1"}) {
    for (const std::string& feature :
         kernel.changeable_features(interface).value_or(std::vector<std::string>{})) {
      keep({fix::KnobKind::feature, interface, feature});
    }
    keep({fix::KnobKind::mtu, interface, {}});
    keep({fix::KnobKind::queue_length, interface, {}});
  }
  for (const char* name : {"net.ipv4.tcp_sack", "net.ipv4.tcp_rmem", "net.ipv4.tcp_mtu_probing"})
    keep({fix::KnobKind::sysctl, {}, name});
  keep({fix::KnobKind::link, "t0", {}});
  values["link"] = printed("ethtool t0");
  values["qdiscs"] = printed("tc qdisc show");
  values["firewall"] = printed("nft list ruleset");
  values["routes"] = printed("ip route show") + printed("ip -6 route show root fd77::/16");
  return values;
}

constexpr const char* kCommands[] = {"ethtool -K v0 tso off",
                                     "ethtool -K v0 tx off",
                                     "ethtool -K v1 gro on",
                                     "ip link set dev v0 mtu 9000",
                                     "ip link set dev v1 txqueuelen 77",
                                     "sysctl -w net.ipv4.tcp_sack=0",
                                     "sysctl -w net.ipv4.tcp_rmem='4096 65536 1048576'",
                                     "sysctl -w net.ipv4.tcp_mtu_probing=1",
                                     "ip route change default dev v0 initcwnd 30",
                                     "ip route change default via 10.77.0.254 dev v0 mtu 1400",
                                     "ip route change 10.78.0.0/16 dev v0 mtu 1200",
                                     "ip route change 10.77.0.0/24 dev v0 window 65535",
                                     "ip route replace 10.77.0.9 dev v0 advmss 900",
                                     "ip route replace 10.77.0.9 dev v0 rto_min 50ms",
                                     "route:v0:mtu@fd77::/64=1400",
                                     "route:v0:mtu@fd77::9=1300",
                                     "tc qdisc replace dev v0 root pfifo",
                                     "tc qdisc replace dev t0 root bfifo",
                                     "tc qdisc change dev v1 root pfifo limit 30",
                                     "ethtool -s t0 autoneg on",
                                     "ethtool -s t0 autoneg off speed 100 duplex half",
                                     "mss-clamp:any=on",
                                     "mss-clamp:v0=on"};

fix::ReadyStep ready(const char* command, fix::Kernel& kernel) {
  return {command, command, fix::changes_of(command, kernel).value_or(std::vector<fix::Change>{})};
}

/// Until the guard has put everything back and written so: whatever else the machine does.
bool guard_has_undone(const std::string& journal) {
  for (int tenths = 0; tenths < 600; ++tenths) {
    const auto entries = fix::read_entries(journal);
    if (entries && entries->list.size() == 1 && entries->list[0].state == fix::State::undone)
      return true;
    usleep(100'000);
  }
  return false;
}

int undo_all(fix::Kernel& kernel, fix::Journal& journal, const fix::Watcher& watcher = {}) {
  fix::Entries entries = *journal.read();
  int undone = 0;
  for (auto entry = entries.list.rbegin(); entry != entries.list.rend(); ++entry) {
    if (entry->state != fix::State::undone)
      undone += fix::undo(kernel, journal, *entry, true, watcher)->done;
  }
  return undone;
}

#define SKIP_WITHOUT_NAMESPACE(code) \
  if ((code) == 77) GTEST_SKIP() << "needs root for a network namespace, and ip(8)"

TEST(Host, EachCommandIsTurnedAndTurnedBack) {
  const int code = in_namespace([] {
    const Scratch scratch;
    const auto kernel = fix::this_host();
    fix::Journal journal = *fix::Journal::open(scratch.path());
    const auto before = snapshot(*kernel);
    for (const char* command : kCommands) {
      const fix::ReadyStep step = ready(command, *kernel);
      Result<fix::Entry> entry = fix::apply(*kernel, journal, step, 1);
      if (step.changes.empty() || !entry) return 1;
      if (snapshot(*kernel) == before) return 2;
      if (!fix::undo(*kernel, journal, *entry, false)->done) return 3;
      if (snapshot(*kernel) != before) return 4;
    }
    return 0;
  });
  SKIP_WITHOUT_NAMESPACE(code);
  EXPECT_EQ(code, 0);
}

TEST(Host, KilledAnywhereItIsUndoneToTheSameSnapshot) {
  const int code = in_namespace([] {
    const auto kernel = fix::this_host();
    const auto before = snapshot(*kernel);
    std::mt19937 random(9);
    const char* wanted = getenv("SLOWPATH_KILL_ROUNDS");
    const int rounds = wanted == nullptr ? 80 : atoi(wanted);
    for (int round = 0; round < rounds; ++round) {
      const Scratch scratch;
      for (int step = 0; step < 3; ++step) {
        const char* command = kCommands[random() % std::size(kCommands)];
        int lives = static_cast<int>(random() % 5);
        const pid_t child = fork();
        if (child == 0) {
          fix::Journal journal = *fix::Journal::open(scratch.path());
          (void)fix::apply(*kernel, journal, ready(command, *kernel), 1, [&](std::string_view) {
            if (lives-- == 0) kill(getpid(), SIGKILL);
          });
          _exit(0);
        }
        waitpid(child, nullptr, 0);
      }
      // The undo is killed as well, and then done again.
      int lives = static_cast<int>(random() % 6);
      const pid_t child = fork();
      if (child == 0) {
        fix::Journal journal = *fix::Journal::open(scratch.path());
        undo_all(*kernel, journal, [&](std::string_view) {
          if (lives-- == 0) kill(getpid(), SIGKILL);
        });
        _exit(0);
      }
      waitpid(child, nullptr, 0);
      fix::Journal journal = *fix::Journal::open(scratch.path());
      undo_all(*kernel, journal);
      if (snapshot(*kernel) != before) return 1;
    }
    return 0;
  });
  SKIP_WITHOUT_NAMESPACE(code);
  EXPECT_EQ(code, 0);
}

TEST(Host, ARouteThatSomebodyElseChangedIsSaidToBe) {
  const int code = in_namespace([] {
    const Scratch scratch;
    const auto kernel = fix::this_host();
    fix::Journal journal = *fix::Journal::open(scratch.path());
    const auto before = snapshot(*kernel);
    Result<fix::Entry> made = fix::apply(
        *kernel, journal, ready("ip route replace 10.77.0.9 dev v0 mtu 1400", *kernel), 1);
    Result<fix::Entry> more = fix::apply(
        *kernel, journal, ready("ip route replace 10.77.0.9 dev v0 advmss 900", *kernel), 1);
    if (!made || !more) return 1;
    // The later step stands on the route that the earlier one made.
    if (!fix::undo(*kernel, journal, *made, false)->done) return 2;
    if (fix::undo(*kernel, journal, *more, false)->conflicts.size() != 1) return 3;
    // A route that somebody else makes meanwhile is not taken away.
    made = fix::apply(*kernel, journal,
                      ready("ip route replace 10.77.0.9 dev v0 mtu 1400", *kernel), 1);
    if (!made || system("ip route replace 10.77.0.9 dev v0 mtu 1400 proto static") != 0) return 4;
    const Result<fix::Undone> undone = fix::undo(*kernel, journal, *made, true);
    if (undone->done || undone->failures.size() != 1) return 5;
    return system("ip route del 10.77.0.9") == 0 && snapshot(*kernel) == before ? 0 : 6;
  });
  SKIP_WITHOUT_NAMESPACE(code);
  EXPECT_EQ(code, 0);
}

constexpr int kNoNft = 100;
bool has_nft() { return system("command -v nft > /dev/null") == 0; }

// nft(8) reads back what was written without it.
TEST(Host, AClampIsWhatTheCommandWouldMake) {
  const int code = in_namespace([] {
    if (!has_nft()) return kNoNft;
    const auto kernel = fix::this_host();
    for (const char* item : {"any", "v0"}) {
      const fix::Knob knob{fix::KnobKind::mss_clamp, {}, item};
      if (!kernel->write(knob, "on") || kernel->read(knob) != "on") return 1;
      const std::string ours = printed("nft list ruleset");
      if (!kernel->write(knob, "off") || !printed("nft list ruleset").empty()) return 2;
      if (system(fix::mss_clamp_command(item).c_str()) != 0) return 3;
      if (printed("nft list ruleset") != ours || kernel->read(knob) != "on") return 4;
      // What a unit runs may run again, and finds what it left.
      for (int start = 0; start < 2; ++start) {
        if (system(fix::mss_clamp_start_command(item).c_str()) != 0) return 8;
        if (printed("nft list ruleset") != ours || kernel->read(knob) != "on") return 9;
      }
      if (system(fix::mss_clamp_undo(item).c_str()) != 0 || kernel->read(knob) != "off") return 5;
    }
    // Whose table it is, its rule says.
    if (system("nft add table inet slowpath_mss") != 0) return 6;
    const fix::Knob knob{fix::KnobKind::mss_clamp, {}, "any"};
    return kernel->read(knob) == "changed" && !kernel->write(knob, "on") ? 0 : 7;
  });
  SKIP_WITHOUT_NAMESPACE(code);
  if (code == kNoNft) GTEST_SKIP() << "needs nft(8)";
  EXPECT_EQ(code, 0);
}

// The script that ifupdown would run makes the same route again, whatever else the route has.
/// Who runs the script of a route when an interface comes up.
struct Manager {
  std::string folders, sign;  // made below the root: what shows that it has v0 in hand
  std::string before, after;  // the script stands between; once for v1, once for v0
};

/// As after a restart: the routes are those that were, and the script runs. 0, or the place that
/// went wrong.
int made_again_by(const Manager& manager, const char* command) {
  const auto kernel = fix::this_host();
  const Scratch scratch;
  fix::Journal journal = *fix::Journal::open(scratch.path());
  const std::string root = scratch.path() + "/root";
  if (system(fmt::format("cd {} && mkdir root && cd root && mkdir -p {} && {}", scratch.path(),
                         manager.folders, manager.sign)
                 .c_str()) != 0)
    return 1;
  const auto before = snapshot(*kernel);
  Result<fix::Entry> entry = fix::intend(*kernel, journal, ready(command, *kernel), 1);
  if (!entry || !fix::persist(*kernel, journal, *entry, root)) return 2;
  if (!fix::carry_out(*kernel, journal, *entry)) return 3;
  const auto with = snapshot(*kernel);
  const std::string script = entry->files.at(0).path;
  for (const fix::Turn& turn : entry->turns)
    if (!kernel->write(turn.knob, turn.before)) return 4;
  if (snapshot(*kernel) != before) return 5;
  const auto run = [&](const char* interface) {
    const std::string line = manager.before + " sh -e " + script + " " + manager.after;
    return system(fmt::format(fmt::runtime(line), interface).c_str()) == 0;
  };
  if (!run("v1") || snapshot(*kernel) != before) return 6;
  if (!run("v0") || snapshot(*kernel) != with) return 7;
  return !fix::undo(*kernel, journal, *entry, false)->done || snapshot(*kernel) != before ? 8 : 0;
}

TEST(Host, TheScriptOfARouteMakesItAgain) {
  const int code = in_namespace([] {
    const Manager managers[] = {
        // interfaces(5): IFACE.
        {"etc/network/if-up.d", "echo iface v0 inet static > etc/network/interfaces", "IFACE={}",
         ""},
        // NetworkManager-dispatcher(8): the interface and what happened.
        {"etc/NetworkManager/dispatcher.d run/NetworkManager/devices sys/class/net/v0",
         fmt::format("echo {0} > sys/class/net/v0/ifindex && echo managed=true > "
                     "run/NetworkManager/devices/{0}",
                     if_nametoindex("v0")),
         "", "{} up"}};
    int place = 0;
    for (const Manager& manager : managers) {
      place += 10;
      for (const char* command :
           {"ip route change default dev v0 initcwnd 30",
            "ip route change default dev v0 initrwnd 44",
            "ip route change 10.78.0.0/16 dev v0 mtu 1200", "route:v0:mtu@10.77.0.9=1400 lock",
            "route:v0:rto_min@10.77.0.9=50", "route:v0:mtu@fd77::9=1300",
            "route:v0:mtu@10.78.0.0/16=none"}) {
        if (const int wrong = made_again_by(manager, command); wrong != 0) return place + wrong;
      }
    }
    return 0;
  });
  SKIP_WITHOUT_NAMESPACE(code);
  EXPECT_EQ(code, 0);
}

TEST(Host, RoutesThatCannotBePutBackAreLeftAlone) {
  const int code = in_namespace([] {
    const auto kernel = fix::this_host();
    if (system("ip route add 10.79.0.0/16 nexthop via 10.77.0.2 dev v0 nexthop via 10.77.0.3 dev "
               "v0") != 0)
      return 1;
    if (kernel->read({fix::KnobKind::route, "v0", "mtu@10.79.0.0/16"})) return 2;
    if (kernel->read({fix::KnobKind::route, "lo", "mtu@10.78.0.0/16"})) return 3;
    if (kernel->write({fix::KnobKind::route, "v0", "mtu@10.80.0.0/16"}, "1400")) return 4;
    if (kernel->write({fix::KnobKind::route, "v0", "mtu@default"}, "absent")) return 5;
    return kernel->read({fix::KnobKind::route, "v0", "mtu@10.80.0.0/16"}) == "absent" ? 0 : 6;
  });
  SKIP_WITHOUT_NAMESPACE(code);
  EXPECT_EQ(code, 0);
}

TEST(Host, QdiscsThatCannotBePutBackAreLeftAlone) {
  const int code = in_namespace([] {
    const Scratch scratch;
    const auto kernel = fix::this_host();
    fix::Journal journal = *fix::Journal::open(scratch.path());
    const auto is_left_alone = [&](const char* setting) {
      if (system(setting) != 0) return false;
      const auto before = snapshot(*kernel);
      const fix::ReadyStep step = ready("tc qdisc replace dev t0 root pfifo", *kernel);
      return !step.changes.empty() && !fix::apply(*kernel, journal, step, 1) &&
             snapshot(*kernel) == before;
    };
    if (!is_left_alone("tc qdisc add dev t0 root tbf rate 1mbit burst 10k latency 50ms")) return 1;
    if (!is_left_alone("tc qdisc replace dev t0 root handle 7: pfifo limit 99")) return 2;
    // The kernel attaches its own when an interface comes up, and not before.
    if (!is_left_alone("tc qdisc del dev t0 root && ip link set t0 down")) return 3;
    if (fix::changes_of("tc qdisc add dev t0 root fq", *kernel)) return 5;
    // The kernel's own is not changed in place, and of another kind's limit nothing is known.
    const auto is_refused = [&](const char* command) {
      const fix::ReadyStep step = ready(command, *kernel);
      return !step.changes.empty() && !fix::apply(*kernel, journal, step, 1);
    };
    if (!is_refused("tc qdisc change dev v0 root pfifo limit 30")) return 6;
    if (!is_refused("tc qdisc change dev v1 root bfifo limit 3000")) return 7;
    if (!is_refused("tc qdisc change dev nodev root pfifo limit 30")) return 8;
    if (system("tc qdisc replace dev v1 root tbf rate 1mbit burst 10k latency 50ms") != 0) return 9;
    if (!is_refused("tc qdisc change dev v1 root pfifo limit 30")) return 10;
    return 0;
  });
  SKIP_WITHOUT_NAMESPACE(code);
  EXPECT_EQ(code, 0);
}

TEST(Host, AQdiscIsOneOfItsCommand) {
  const int code = in_namespace([] {
    const auto kernel = fix::this_host();
    const fix::Knob knob{fix::KnobKind::qdisc, "t0", {}};
    const std::string before = kernel->read(knob).value_or("");
    if (!before.starts_with("default ")) return 1;
    for (const char* kind : {"pfifo", "bfifo"}) {
      if (system(("tc qdisc del dev t0 root 2> /dev/null; " + fix::qdisc_command("t0", kind))
                     .c_str()) != 0)
        return 2;
      if (kernel->read(knob).value_or("") != kind) return 3;
    }
    // From one of ours to the other, and to what the kernel makes of it.
    if (!kernel->write(knob, "pfifo") || kernel->read(knob).value_or("") != "pfifo") return 4;
    if (!kernel->write(knob, before) || kernel->read(knob).value_or("") != before) return 5;
    if (kernel->write(knob, "tbf") || kernel->write(knob, "other tbf")) return 6;
    return 0;
  });
  SKIP_WITHOUT_NAMESPACE(code);
  EXPECT_EQ(code, 0);
}

// Not every kernel has them.
TEST(Host, FairQueuesAreKnownToBePlainOrChanged) {
  const int code = in_namespace([] {
    const auto kernel = fix::this_host();
    const fix::Knob knob{fix::KnobKind::qdisc, "t0", {}};
    for (const char* kind : {"fq", "fq_codel"}) {
      const std::string name(kind), make = fix::qdisc_command("t0", kind);
      if (system((make + " 2> /dev/null").c_str()) != 0) return 78;
      if (kernel->read(knob).value_or("") != name) return 1;
      if (system((make + " limit 99").c_str()) != 0) return 2;
      if (name == "fq_codel" && kernel->read(knob).value_or("") != name + " limit 99") return 3;
      if (system("tc qdisc del dev t0 root") != 0) return 4;
      const std::string before = kernel->read(knob).value_or("");
      const std::string made =
          name == "fq" ? "fq limit 500 maxrate 8000000bit" : "fq_codel limit 7";
      if (!kernel->write(knob, made) || kernel->read(knob).value_or("") != made) return 5;
      const fix::Knob limit{fix::KnobKind::qdisc_option, "t0", "limit"};
      if (!kernel->write(limit, name + " 600") || kernel->read(limit).value_or("") != name + " 600")
        return 6;
      if (!kernel->write(knob, before) || kernel->read(knob).value_or("") != before) return 7;
    }
    return 0;
  });
  SKIP_WITHOUT_NAMESPACE(code);
  if (code == 78) GTEST_SKIP() << "this kernel has no fq or no fq_codel";
  EXPECT_EQ(code, 0);
}

TEST(Host, LinksAreSetWithWhatIsNotSaidAsItIs) {
  const int code = in_namespace([] {
    const auto kernel = fix::this_host();
    const auto value = [&](const char* command) {
      const auto changes = fix::changes_of(command, *kernel);
      return changes ? changes->front().value : "refused";
    };
    if (system("ethtool -s t0 autoneg off speed 10 duplex full") != 0) return 1;
    if (value("ethtool -s t0 autoneg off speed 1000") != "autoneg off 1000 full") return 2;
    if (value("ethtool -s t0 autoneg off") != "autoneg off 10 full") return 3;
    if (!value("ethtool -s t0 autoneg on").starts_with("autoneg on 0x")) return 4;
    for (const char* command :
         {"ethtool -s t0 speed 10", "ethtool -s t0 autoneg on speed 10", "ethtool -s t0 autoneg",
          "ethtool -s t0 autoneg off speed fast", "ethtool -s t0 autoneg off duplex both",
          "ethtool -s t0 wol g", "ethtool -s nothere autoneg on"}) {
      if (value(command) != "refused") return 5;
    }
    for (const char* bad : {"autoneg", "autoneg on", "autoneg on 12", "autoneg off 10", "on"}) {
      if (kernel->write({fix::KnobKind::link, "t0", {}}, bad)) return 6;
    }
    return 0;
  });
  SKIP_WITHOUT_NAMESPACE(code);
  EXPECT_EQ(code, 0);
}

TEST(Host, AnInterfaceThatIsGoneNeedsNoUndo) {
  const int code = in_namespace([] {
    const Scratch scratch;
    const auto kernel = fix::this_host();
    fix::Journal journal = *fix::Journal::open(scratch.path());
    Result<fix::Entry> entry =
        fix::apply(*kernel, journal, ready("ip link set dev v0 mtu 9000", *kernel), 1);
    if (!entry || system("ip link del v0") != 0) return 1;
    const Result<fix::Undone> undone = fix::undo(*kernel, journal, *entry, false);
    return undone && undone->done && undone->gone.size() == 1 ? 0 : 2;
  });
  SKIP_WITHOUT_NAMESPACE(code);
  EXPECT_EQ(code, 0);
}

TEST(Host, TheGuardUndoesWhatNobodyConfirms) {
  const int code = in_namespace([] {
    const Scratch scratch;
    const auto kernel = fix::this_host();
    const auto before = snapshot(*kernel);
    {
      fix::Journal journal = *fix::Journal::open(scratch.path());
      Result<fix::Entry> entry =
          fix::apply(*kernel, journal, ready("ip link set dev v0 mtu 1400", *kernel), 1);
      entry->confirm_by_s = time(nullptr) + 1;
      if (!journal.write(*entry)) return 1;
      // It waits for us to let the journal go.
      if (!fix::start_guard(scratch.path(), *entry)) return 1;
      if (snapshot(*kernel) == before) return 2;
    }
    if (!guard_has_undone(scratch.path())) return 3;
    return snapshot(*kernel) == before ? 0 : 4;
  });
  SKIP_WITHOUT_NAMESPACE(code);
  EXPECT_EQ(code, 0);
}

TEST(Host, TheGuardWaitsForWhoeverHoldsTheJournal) {
  const int code = in_namespace([] {
    const Scratch scratch;
    const auto kernel = fix::this_host();
    const auto before = snapshot(*kernel);
    {
      fix::Journal journal = *fix::Journal::open(scratch.path());
      Result<fix::Entry> entry =
          fix::apply(*kernel, journal, ready("ip link set dev v0 mtu 1400", *kernel), 1);
      entry->confirm_by_s = time(nullptr) - 1;
      if (!journal.write(*entry) || !fix::start_guard(scratch.path(), *entry)) return 1;
      usleep(1'500'000);
      if (snapshot(*kernel) == before) return 2;
    }
    if (!guard_has_undone(scratch.path())) return 3;
    return snapshot(*kernel) == before ? 0 : 4;
  });
  SKIP_WITHOUT_NAMESPACE(code);
  EXPECT_EQ(code, 0);
}

TEST(Host, ALoginIsFoundBelowItsBridge) {
  const int code = in_namespace([] {
    // /sys shows the interfaces of the namespace in which it was mounted.
    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("sysfs", "/sys", "sysfs", 0, nullptr) != 0 ||
        system("ip link add br9 type bridge && ip link set v0 master br9 && ip link set br9 up && "
               "ip addr add 10.99.0.1/24 dev br9") != 0)
      return 77;
    setenv("SSH_CONNECTION", "192.0.2.7 50000 10.99.0.1 22", 1);
    const auto touches = [](const char* name) {
      return fix::touches_login({{{fix::KnobKind::mtu, name, {}}, "1500", "1400"}});
    };
    return touches("br9") && touches("v0") && !touches("v1") ? 0 : 1;
  });
  SKIP_WITHOUT_NAMESPACE(code);
  EXPECT_EQ(code, 0);
}

// sudo takes SSH_CONNECTION away; the shell that it was called from still has it.
TEST(Host, ALoginIsFoundPastSudo) {
  const int code = in_namespace([] {
    const Scratch scratch;
    const std::string command =
        "SSH_CONNECTION='192.0.2.7 50000 10.77.0.1 22' sh -c 'env -u SSH_CONNECTION " +
        std::string(SLOWPATH_PROGRAM) + " fix apply \"ip link set dev v0 mtu 1400\" --journal " +
        scratch.path() + "; true'";
    const std::string said = printed(command.c_str());
    return said.find("unless you say: slowpath fix confirm 1") != std::string::npos ? 0 : 1;
  });
  SKIP_WITHOUT_NAMESPACE(code);
  EXPECT_EQ(code, 0);
}

TEST(Host, WhatTheKernelRefusesIsSaid) {
  const auto kernel = fix::this_host();
  EXPECT_FALSE(kernel->read({fix::KnobKind::sysctl, {}, "net.ipv4.no_such_thing"}));
  EXPECT_FALSE(kernel->read({fix::KnobKind::sysctl, {}, "../../etc/passwd"}));
  EXPECT_FALSE(kernel->read({fix::KnobKind::mtu, "no-such-dev", {}}));
  EXPECT_FALSE(kernel->read({fix::KnobKind::feature, "lo", "no-such-feature"}));
  EXPECT_TRUE(kernel->read({fix::KnobKind::mtu, "lo", {}}));
}

}  // namespace
}  // namespace slowpath::test
