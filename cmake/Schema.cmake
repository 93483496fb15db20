# SPDX-License-Identifier: Apache-2.0
# slowpath_schema(TARGET)
# Embeds docs/slowpath.diagnosis.v1.schema.json, so that `slowpath schema` prints the published one.
function(slowpath_schema target)
  set(file ${CMAKE_SOURCE_DIR}/docs/slowpath.diagnosis.v1.schema.json)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} DIAGNOSIS_SCHEMA)
  configure_file(${CMAKE_SOURCE_DIR}/cmake/schema.cc.in
    ${CMAKE_BINARY_DIR}/generated/report/schema.cc @ONLY)
  target_sources(${target} PRIVATE ${CMAKE_BINARY_DIR}/generated/report/schema.cc)
endfunction()
