// SPDX-License-Identifier: Apache-2.0
// The tables that the text and the document on accuracy share. For accuracy_*.cc and their tests.
#pragma once

#include <string>

#include "report/accuracy.h"
#include "report/table.h"

namespace slowpath::report {

/// True fault, captures, accepted, unclear and healthy in columns of their own where they occur,
/// and the faults named as a list.
Table confusion_table(const Accuracy& accuracy);
/// Stated and observed frequency for each tenth of confidence that occurs.
Table calibration_table(const Accuracy& accuracy);
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
