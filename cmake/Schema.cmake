# SPDX-License-Identifier: Apache-2.0
# slowpath_schema(TARGET)
# Embeds docs/slowpath.{diagnosis,comparison,fetch,inspection,test,path}.v1.schema.json, so that `slowpath schema` prints the published ones.
function(slowpath_schema target)
  foreach(document diagnosis comparison fetch inspection test path)
    set(file ${CMAKE_SOURCE_DIR}/docs/slowpath.${document}.v1.schema.json)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    string(TOUPPER ${document} name)
    file(READ ${file} ${name}_SCHEMA)
  endforeach()
  configure_file(${CMAKE_SOURCE_DIR}/cmake/schema.cc.in
    ${CMAKE_BINARY_DIR}/generated/report/schema.cc @ONLY)
  target_sources(${target} PRIVATE ${CMAKE_BINARY_DIR}/generated/report/schema.cc)
endfunction()
