// SPDX-License-Identifier: Apache-2.0
// Two hosts of the lab and a plain cable between them, for tests of hosts and transfers. The plane
// has tests of its own.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "lab/host.h"
#include "lab/traffic.h"

namespace slowpath::test {

/// What this machine allows, asked once; none, with the reason, where there is nothing to test
/// with.
const Result<lab::Privileges>& lab_privileges();

class LabPair {
 public:
  static lab::HostSpec named(std::string name) {
    lab::HostSpec spec;
    spec.name = std::move(name);
    return spec;
  }
  struct Options {
    lab::HostSpec client = named("client"), server = named("server");
    bool ipv6 = false;
    bool spoils = false;  // the cable changes a byte of a large frame now and then
    bool cut = false;     // nothing passes
    Duration delay{0};    // each way
  };
  static Result<std::unique_ptr<LabPair>> make(const Options& options);
  ~LabPair();
  LabPair(const LabPair&) = delete;
  LabPair& operator=(const LabPair&) = delete;

  [[nodiscard]] lab::Host& client() { return *client_; }
  [[nodiscard]] lab::Host& server() { return *server_; }

  /// Starts a transfer with this table.
  Result<std::unique_ptr<lab::Transfer>> start(std::map<std::string, std::string> table);
  /// Plugs the cable in, waits for the end and returns the result.
  lab::TransferResult finish(lab::Transfer& transfer);
  /// Both; an error makes an empty result that carries it.
  lab::TransferResult transfer(std::map<std::string, std::string> table);
  /// Frames go through from now on, in a thread.
  void plug_in();

 private:
  LabPair() = default;
  void carry();
  void deliver();

  struct UnderWay {
    std::int64_t due_ns = 0;
    std::size_t to = 0;
    lab::VnetHeader vnet;
    std::vector<std::byte> bytes;
  };

  Options options_;
  std::unique_ptr<lab::Host> client_, server_;
  std::unique_ptr<lab::Endpoint> client_side_, server_side_;
  std::deque<UnderWay> under_way_;  // of the cable's thread
  std::atomic<bool> stopping_{false};
  std::thread cable_;
};

}  // namespace slowpath::test
