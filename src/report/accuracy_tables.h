// SPDX-License-Identifier: Apache-2.0
// The tables that the text and the document on accuracy share. For accuracy_*.cc and their tests.
#pragma once

#include <array>
#include <string>

#include "report/accuracy.h"
#include "report/table.h"

namespace slowpath::report {

/// True fault, captures, accepted, unclear and healthy in columns of their own where they occur,
/// and the faults named as a list.
Table confusion_table(const Accuracy& accuracy);
/// Stated and observed frequency for each tenth of confidence that occurs.
Table calibration_table(const Accuracy& accuracy);
/// The same of captures that were made to tell less.
Table lessened_calibration_table(const Accuracy& accuracy);
/// What was named in them, by how they were made so.
Table lessened_table(const Accuracy& accuracy);
/// "Of 2,100 captures that tell less ..."; empty without them.
std::string lessened_sentence(const Accuracy& accuracy);
/// Adds one capture that was made to tell less.
void count_lessened(const GradedCapture& capture, Accuracy& accuracy);
/// Adds the findings of a capture to the tenths of their confidence.
void count_confidence(const GradedCapture& capture, std::array<CalibrationBin, 10>& bins);
/// "scenario (healthy twin) at server".
std::string place_of(const GradedCapture& capture);
/// Shares of time with data outstanding beside the kernel's.
Table account_table(const Accuracy& accuracy);
/// What was said to expect beside what the repaired world made.
Table prediction_table(const Accuracy& accuracy);
/// "On the scenarios' own paths: of 66 predictions 60 say ..."; empty without predictions.
std::string prediction_sentence(const Accuracy& accuracy);
/// Adds one capture's to the row of its scenario and point.
void count_prediction(const GradedCapture& capture, Accuracy& accuracy);
/// Of several faults at once: which were named.
Table causes_table(const Accuracy& accuracy);
/// "At 14 of 16 capture points that show it ..."; empty without worlds of several faults.
std::string causes_sentence(const Accuracy& accuracy);
/// Adds one capture's to the row of its scenario and point.
void count_causes(const GradedCapture& capture, Accuracy& accuracy);
/// "412 of 420 verdicts on broken worlds are accepted (98.1 %); ...".
std::string accuracy_sentence(const Accuracy& accuracy);

}  // namespace slowpath::report
