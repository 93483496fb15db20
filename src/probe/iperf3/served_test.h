// SPDX-License-Identifier: Apache-2.0
// One client's test at the server, from its control connection to its end, in a thread of its own.
// Internal to server.cc.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "probe/iperf3/protocol.h"
#include "probe/iperf3/run.h"
#include "probe/iperf3/server.h"

namespace slowpath::probe::iperf3 {

class ServedTest {
 public:
  ServedTest(const ServerOptions& options, Descriptor control, std::string peer,
             std::string cookie);
  ~ServedTest();
  ServedTest(const ServedTest&) = delete;
  ServedTest& operator=(const ServedTest&) = delete;

  [[nodiscard]] const std::string& cookie() const { return cookie_; }
  [[nodiscard]] bool is_over() const { return over_; }
  /// The client has all that it came for: the test is over as soon as it says so.
  [[nodiscard]] bool is_ending() const { return ending_; }
  /// A connection that showed this test's cookie.
  void add_stream(Descriptor socket);

 private:
  void run();
  Result<void> serve();
  Result<void> agree();
  [[nodiscard]] std::optional<Refusal> refuse_file() const;
  Result<void> pin();
  Result<void> take_streams();
  Result<Descriptor> next_stream(Duration timeout);
  [[nodiscard]] bool is_client_gone() const;
  [[nodiscard]] bool is_stopped() const {
    return options_.stop != nullptr && options_.stop->load();
  }
  /// The client ends it after a time, not after an amount.
  [[nodiscard]] bool has_time() const;
  [[nodiscard]] Result<RunOptions> prepare() const;
  Result<void> transfer();
  bool await_end(Duration most);
  void see_off();
  void end_sending();
  Result<void> exchange();

  const ServerOptions& options_;
  Control control_;
  std::string cookie_;
  Parameters parameters_;
  std::vector<RunStream> streams_;
  Iperf3Facts facts_;
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<Descriptor> inbox_;
  std::atomic<bool> over_{false}, ending_{false};
  std::thread thread_;
};

}  // namespace slowpath::probe::iperf3
