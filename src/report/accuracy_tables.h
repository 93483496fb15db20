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
/// "About: within 25 % of the measured rate in 60 of 66 (90.9 %); ..."; empty without predictions.
std::string prediction_sentence(const Accuracy& accuracy);
/// Adds one capture's to the row of its scenario and point.
void count_prediction(const GradedCapture& capture, Accuracy& accuracy);
/// "412 of 420 verdicts on broken worlds are accepted (98.1 %); ...".
std::string accuracy_sentence(const Accuracy& accuracy);

}  // namespace slowpath::report
