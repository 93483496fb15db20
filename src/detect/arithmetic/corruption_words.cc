// SPDX-License-Identifier: Apache-2.0
// Sentences, and the table of suspects. Which component makes a pattern is known from those who
// found one: the sources are named beside each.
#include "detect/arithmetic/corruption_words.h"

#include <cstdlib>

#include <fmt/format.h>

#include "base/format.h"

namespace slowpath::arithmetic {
namespace {

std::string counted(std::uint64_t count, std::string_view singular, std::string_view plural) {
  return fmt::format("{} {}", format_count(count), count == 1 ? singular : plural);
}

std::string bytes(std::uint64_t count) { return counted(count, "byte", "bytes"); }

std::string lane_words(const Lane& lane) {
  const std::string byte = lane.width_bytes == 1
                               ? "of its byte"
                               : fmt::format("byte {} of each {}", lane.byte + 1, lane.width_bytes);
  const std::string_view counted_from =
      lane.width_bytes == 1 ? "" : (lane.in_segment ? " of the segment" : " of the stream");
  if (!lane.bit) return fmt::format("all in {}{}", byte, counted_from);
  return fmt::format("all in bit {} {}{}{}", *lane.bit, lane.width_bytes == 1 ? "" : "of ", byte,
                     counted_from);
}

std::string flips_words(const CorruptionPattern& pattern) {
  std::string text = pattern.flipped_bits == 1
                         ? "1 bit turned over"
                         : counted(pattern.flipped_bits, "bit", "bits") + " turned over in " +
                               counted(pattern.places, "place", "places");
  constexpr std::uint64_t kOneWay = 8;  // as many tosses of a coin
  if (pattern.flipped_bits >= kOneWay && pattern.turned_on == pattern.flipped_bits) {
    text += ", always from 0 to 1";
  } else if (pattern.flipped_bits >= kOneWay && pattern.turned_on == 0) {
    text += ", always from 1 to 0";
  }
  if (pattern.lane.width_bytes > 0) text += ", " + lane_words(pattern.lane);
  return text;
}

std::string_view alignment_words(Alignment alignment) {
  switch (alignment) {
    case Alignment::none:
      return "";
    case Alignment::cache_line:
      return ", in whole lines of 64 bytes";
    case Alignment::page:
      return ", in whole pages of 4096 bytes";
    case Alignment::segment_end:
      return ", up to where a segment ends";
    case Alignment::segment:
      return ", from where a segment begins to where one ends";
  }
  std::unreachable();
}

std::string stale_words(const CorruptionPattern& pattern) {
  if (pattern.distance == 0) return "are those of other places in the stream";
  const auto away = static_cast<std::uint64_t>(std::abs(pattern.distance));
  return fmt::format("are those that stand {} {} in the stream", bytes(away),
                     pattern.distance > 0 ? "earlier" : "later");
}

std::string shift_words(const CorruptionPattern& pattern) {
  if (pattern.shift == 0) return "bytes were put in and left out, and what follows is moved";
  const auto moved = static_cast<std::uint64_t>(std::abs(pattern.shift));
  return fmt::format("{} {} {}, and what follows is moved", bytes(moved),
                     moved == 1 ? "was" : "were", pattern.shift > 0 ? "put in" : "left out");
}

std::string_view swap_words(Swap swap) {
  switch (swap) {
    case Swap::none:
      return "bytes and words stand in another order";
    case Swap::bytes_of_16:
      return "the two bytes of 16-bit words are exchanged";
    case Swap::words_of_32:
      return "16-bit words that are neighbours are exchanged";
    case Swap::bytes_of_32:
      return "the bytes of 32-bit words stand in reverse";
    case Swap::dwords_of_64:
      return "32-bit words that are neighbours are exchanged";
    case Swap::bytes_of_64:
      return "the bytes of 64-bit words stand in reverse";
  }
  std::unreachable();
}

std::string what_changed(const CorruptionPattern& pattern) {
  const std::string some =
      fmt::format("{}{}", bytes(pattern.differing),
                  pattern.places == 1 ? "" : " in " + counted(pattern.places, "place", "places"));
  switch (pattern.kind) {
    case CorruptionKind::none:
      return "";
    case CorruptionKind::bit_flips:
      return flips_words(pattern);
    case CorruptionKind::zeros:
      return fmt::format("{} became zero{}", some, alignment_words(pattern.alignment));
    case CorruptionKind::fill:
      return fmt::format("{} became one repeated value (0x{:02x}){}", some, pattern.fill,
                         alignment_words(pattern.alignment));
    case CorruptionKind::stale:
      return fmt::format("{} {}{}", some, stale_words(pattern), alignment_words(pattern.alignment));
    case CorruptionKind::shifted:
      return shift_words(pattern);
    case CorruptionKind::swapped:
      return fmt::format("{}: {}", some, swap_words(pattern.swap));
    case CorruptionKind::text_edited:
      return fmt::format("readable text was changed into other readable text: {}", some);
    case CorruptionKind::sum_kept:
      return fmt::format("{} changed so that the sum of all words stayed the same", some);
    case CorruptionKind::unknown:
      return fmt::format("unknown pattern: {} changed{}", some, alignment_words(pattern.alignment));
  }
  std::unreachable();
}

std::string where(const CorruptionPattern& pattern) {
  if (!pattern.in_segment && !pattern.in_superframe) return "";
  std::string text = "; ";
  if (!pattern.same_place_in_segment && pattern.places > 1) text += "the first ";
  if (pattern.in_segment) {
    text += fmt::format("{}at byte {} of its segment",
                        pattern.same_place_in_segment ? "always " : "", *pattern.in_segment);
  }
  if (pattern.in_superframe) {
    text += fmt::format("{}at byte {} of the large send{}", pattern.in_segment ? ", " : "",
                        *pattern.in_superframe,
                        pattern.same_place_in_segment ? " it was cut from at first" : "");
  }
  return text;
}

struct Suspect {
  std::string_view points_at, source;
};

constexpr std::string_view kStonePartridge = "Stone and Partridge, SIGCOMM 2000";

Suspect flips_suspect(const CorruptionPattern& pattern, ChecksumWitness witness) {
  if (pattern.lane.width_bytes > 0) {
    return {
        "one line or cell of a data path that wide: memory, a bus, or a buffer of a NIC or a "
        "switch",
        kStonePartridge};
  }
  switch (witness) {
    case ChecksumWitness::failed:
      return {"noise on a cable, an optic or a radio link, or memory of a device on the way",
              kStonePartridge};
    case ChecksumWitness::passed:
      return {
          "memory or DMA of the sending host or NIC before the checksum is made, or a box on "
          "the way that makes it anew",
          kStonePartridge};
    case ChecksumWitness::unknown:
      break;
  }
  return {"a cell of memory, or a cable, optic or radio link", kStonePartridge};
}

Suspect zeros_suspect(const CorruptionPattern& pattern) {
  switch (pattern.alignment) {
    case Alignment::page:
      return {"a page that was sent before it was filled: DMA mapping or page cache",
              "frank-w/BPI-Router-Linux#197"};
    case Alignment::segment:
    case Alignment::segment_end:
      return {
          "the NIC's segmentation engine or its driver: a buffer was given back while it was "
          "still being read",
          "frank-w/BPI-Router-Linux#197"};
    case Alignment::cache_line:
      return {"a cache that is not in step with DMA, or a DMA transfer that fell short",
              "genodelabs/genode#4655"};
    case Alignment::none:
      break;
  }
  return {"a buffer that was sent before it was filled: driver, DMA or the application",
          kStonePartridge};
}

Suspect stale_suspect(const CorruptionPattern& pattern) {
  if (pattern.distance < 0) {
    return {
        "a buffer that was filled anew before its bytes were acknowledged: zero-copy sending, "
        "or the NIC's ring",
        "Paxson, SIGCOMM 1997"};
  }
  switch (pattern.alignment) {
    case Alignment::segment:
    case Alignment::segment_end:
      return {"the NIC's segmentation engine or its driver: an old buffer went out again",
              kStonePartridge};
    case Alignment::page:
      return {"an old page was sent: DMA mapping or page cache", kStonePartridge};
    case Alignment::cache_line:
      return {"a cache that is not in step with DMA: driver or platform", "genodelabs/genode#4655"};
    case Alignment::none:
      break;
  }
  return {"a buffer used again: driver, DMA or the application", kStonePartridge};
}

Suspect unknown_suspect(const CorruptionPattern& pattern) {
  if (pattern.alignment == Alignment::segment) {
    return {
        "segments went out with other data: segmentation engine, driver, or a box that joins "
        "fragments wrongly",
        "RFC 4963"};
  }
  return {"no component by itself: a further capture, nearer the sender, tells where", ""};
}

Suspect suspect_of(const CorruptionPattern& pattern, ChecksumWitness witness) {
  switch (pattern.kind) {
    case CorruptionKind::none:
      return {};
    case CorruptionKind::bit_flips:
      return flips_suspect(pattern, witness);
    case CorruptionKind::zeros:
      return zeros_suspect(pattern);
    case CorruptionKind::fill:
      return {"memory that was freed or never written: driver or application", kStonePartridge};
    case CorruptionKind::stale:
      return stale_suspect(pattern);
    case CorruptionKind::shifted:
      return {
          "a driver or DMA engine that miscounts, or a middlebox that edits what it carries "
          "(ALG)",
          kStonePartridge};
    case CorruptionKind::swapped:
      return {"byte order in firmware or a driver", "RFC 1071 section 2"};
    case CorruptionKind::text_edited:
      return {"an application gateway (ALG), proxy or virus scanner on the way",
              "RFC 3027 section 2"};
    case CorruptionKind::sum_kept:
      return {"something that moves data in words: firmware, a driver or a DMA engine",
              "RFC 1071 section 2"};
    case CorruptionKind::unknown:
      return unknown_suspect(pattern);
  }
  std::unreachable();
}

}  // namespace

std::string_view to_string(CorruptionKind kind) {
  switch (kind) {
    case CorruptionKind::none:
      return "no difference";
    case CorruptionKind::bit_flips:
      return "bit flips";
    case CorruptionKind::zeros:
      return "zeros";
    case CorruptionKind::fill:
      return "fill";
    case CorruptionKind::stale:
      return "stale bytes";
    case CorruptionKind::shifted:
      return "byte shift";
    case CorruptionKind::swapped:
      return "swapped words";
    case CorruptionKind::text_edited:
      return "edited text";
    case CorruptionKind::sum_kept:
      return "change that keeps the sum";
    case CorruptionKind::unknown:
      return "unknown pattern";
  }
  std::unreachable();
}

void put_into_words(CorruptionPattern& pattern, ChecksumWitness witness) {
  const Suspect suspect = suspect_of(pattern, witness);
  pattern.sentence = what_changed(pattern) + where(pattern);
  if (pattern.checksum_verifies()) pattern.sentence += "; the Internet checksum cannot see it";
  pattern.points_at = suspect.points_at;
  pattern.source = suspect.source;
}

}  // namespace slowpath::arithmetic
