// SPDX-License-Identifier: Apache-2.0
// The inputs of one question between the command line and their reading: opened once to see when
// they begin, put in order, and opened again when their turn comes. Whether they are so large that
// they are screened is decided here; compressed files and pipes are kept in memory for that
// (capture/spool.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "capture/filter.h"
#include "capture/source.h"
#include "capture/spool.h"
#include "cli/pipeline.h"
#include "report/answer.h"
#include "wire/frame.h"

namespace slowpath::cli {

/// What tells a file from another that was put in its place, or from what it was before.
struct FileIdentity {
  std::uint64_t device = 0, inode = 0, bytes = 0;
  std::int64_t modified_ns = 0;

  /// Whether a file that has grown since, or is the same, is what this says.
  [[nodiscard]] bool is_beginning_of(const FileIdentity& later) const;
};

/// A file, standard input or an interface.
struct Input {
  InputName name;
  // Of a mapped file that is read twice: what the sources of both passes read is mapped by this.
  std::unique_ptr<capture::Source> mapping;
  std::unique_ptr<capture::Source> source;  // null while closed; a pipe is never closed
  capture::FilteredSource* filtered =
      nullptr;  // the source, where there is a filter in front of it
  bool has_frames = false;
  wire::Frame first;             // valid until the source's next read
  std::uint64_t file_bytes = 0;  // 0 where there is no end to know
  bool is_mapped = false;        // a file that is not compressed
  // Has the bytes of a compressed file or a pipe, or passes them on; null: they are not kept.
  std::shared_ptr<capture::Spool> spool;
  std::uint64_t spool_bytes = 0;              // so many may be kept when it is opened
  FileIdentity identity;                      // of a file, when it was opened
  bool has_changed = false;                   // since it was opened before
  std::vector<std::string> settings_changes;  // of an interface, by looking at it
};

/// Inputs in the order of their first packets, and those that could not be opened.
struct OpenedInputs {
  std::vector<Input> inputs;
  std::vector<report::Unreadable> unreadable;
};

/// Errors: none could be opened (the first one's error), or the filter does not compile.
Result<OpenedInputs> open_inputs(const PipelineOptions& options);

/// Whether nothing was asked for that needs every packet analysed.
bool may_be_screened(const PipelineOptions& options);

/// Whether all of it together has `screen_from_bytes` of plain bytes or more, and can be read
/// twice. Waits for a compressed input or a pipe until it shows that it has, or ends.
bool are_large(const PipelineOptions& options, std::vector<Input>& inputs);

/// Whether all of it can be read from its beginning again, although reading had begun.
bool can_begin_again(std::span<const Input> inputs);

/// What spools may keep, of the memory that is allowed.
std::uint64_t most_spooled_bytes(const PipelineOptions& options);

/// What is left of the memory that is allowed beside what spools keep of these inputs: all of those
/// that ended, as much as spools may take of one that passes through.
std::uint64_t memory_beside_spools(const PipelineOptions& options,
                                   const std::vector<Input>& inputs);

/// Opens an input once more that had been closed to save memory and descriptors, or to read it a
/// second time.
Result<void> reopen(Input& input, const std::string& filter);

/// Of a mapped input that is open and begins: it stays mapped when its source is closed, and
/// reopen() finds it there if the file is still what it was. Else nothing is changed.
void keep_mapped(Input& input, const std::string& filter);

/// Of an input that is not read twice after all: the next reopen() begins at its first byte, and
/// whoever reads it then is the last.
void read_once(Input& input);

/// Whether the input ended, as it does once a signal came, and is in memory: then it is read to its
/// end all the same.
bool is_at_hand(Input& input);

/// A mapped input read from its beginning once more, by another thread: over the bytes of `input`,
/// which stay its own. Nothing where there are none.
std::optional<Input> twin_of(const Input& input, const std::string& filter);

}  // namespace slowpath::cli
