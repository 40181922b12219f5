# SPDX-License-Identifier: Apache-2.0
# Compiler settings and the two functions every folder uses: cordon_module() and cordon_test().

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CORDON_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
# Line tables only: full debug info of the header libraries doubles build time and says nothing we need.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g")

find_program(CORDON_CCACHE ccache)
if(CORDON_CCACHE)
  # No __FILE__ or debug path depends on the checkout's folder, so clones share one cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CORDON_CCACHE})
endif()
find_program(CORDON_LLD ld.lld)
if(CORDON_LLD)
  add_link_options(-fuse-ld=lld)
endif()
if(CORDON_SANITIZE)
  # GCC 12 with sanitizers sees uninitialised values inside std::regex and overruns of std::string that are not there.
  add_compile_options(-fsanitize=${CORDON_SANITIZE} -fno-omit-frame-pointer -Wno-maybe-uninitialized
                      -Wno-array-bounds)
  # Reports need lines, not variables; full debug information of the header libraries triples the build.
  set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")
  add_link_options(-fsanitize=${CORDON_SANITIZE})
  if(CORDON_SANITIZE MATCHES thread)
    foreach(call 5Mutex4LockEv 5Mutex6UnlockEv 5Mutex5AwaitERKNS0_9ConditionE
            5Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE 12Notification6NotifyEv)
      add_link_options(-Wl,--wrap=_ZN4absl7debian3${call})  # base/tsan_mutex.cc says why
    endforeach()
    add_link_options(
      -Wl,--wrap=_ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE)
  endif()
else()
  add_compile_options($<$<CONFIG:RelWithDebInfo>:-D_FORTIFY_SOURCE=2>)
endif()
add_compile_options(-fstack-protector-strong)
add_link_options(-Wl,-z,relro,-z,now)

find_package(Threads REQUIRED)
find_package(Protobuf REQUIRED)
find_package(absl REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(PkgConfig REQUIRED)

# Warnings for our own sources; third-party headers come in as SYSTEM through imported targets.
add_library(cordon_warnings INTERFACE)
target_compile_options(cordon_warnings INTERFACE -Wall -Wextra -Wpedantic -Werror -Wshadow
                       -Wnon-virtual-dtor -Woverloaded-virtual -Wno-missing-field-initializers
                       # GCC 12 sees overlaps and overruns in std::string that are not there (GCC bug 105329).
                       -Wno-restrict -Wno-stringop-overflow)

# One precompiled header of the heavy third-party headers, none of ours, shared by all modules and tests. Sources with
# optimisation options of their own skip it: GCC 12 crashed on one that took a header made with others.
option(CORDON_PCH "Precompile the third-party headers that nearly every file includes" ON)
if(CORDON_PCH)
  # One for the modules and one for programs, which are compiled with -fPIE: a header serves one setting alone.
  foreach(target cordon_pch cordon_pch_program)
    add_library(${target} OBJECT ${CMAKE_SOURCE_DIR}/cmake/precompiled.cc)
    # The warnings too: -Wpedantic defines macros, and a header is only used where all of them agree.
    target_link_libraries(${target} PRIVATE absl::status absl::statusor absl::synchronization fmt::fmt
                          protobuf::libprotobuf Threads::Threads cordon_warnings)
    target_precompile_headers(${target} PRIVATE
      <algorithm> <array> <chrono> <functional> <map> <memory> <optional> <set> <span> <string> <string_view> <thread>
      <vector> <fmt/format.h> <absl/status/status.h> <absl/status/statusor.h> <absl/synchronization/mutex.h>
      <google/protobuf/message.h> <google/protobuf/generated_message_reflection.h>
      <google/protobuf/repeated_field.h> <google/protobuf/extension_set.h> <google/protobuf/map_field_inl.h>)
  endforeach()
  target_compile_options(cordon_pch_program PRIVATE -fPIE)
endif()
function(cordon_precompile target)
  if(NOT CORDON_PCH)
    return()
  endif()
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "EXECUTABLE")
    target_precompile_headers(${target} REUSE_FROM cordon_pch_program)
  else()
    target_precompile_headers(${target} REUSE_FROM cordon_pch)
  endif()
endfunction()

# cordon_module(<folder> SOURCES a.cc ... [PUBLIC lib ...] [PRIVATE lib ...])
# One static library cordon_<folder>, alias cordon::<folder>; headers are included from the root.
function(cordon_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(cordon_${name} STATIC ${ARG_SOURCES})
  add_library(cordon::${name} ALIAS cordon_${name})
  target_include_directories(cordon_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(cordon_${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE} cordon_warnings)
  cordon_precompile(cordon_${name})
endfunction()

# cordon_test(<name> SOURCES a_test.cc ... LIBS lib ... [LABELS unit|integration|...] [TIMEOUT s] [ENV K=V ...] [SERIAL])
# One GoogleTest executable, one ctest entry for each of its suites' binaries (a binary is a ctest test: the
# gtest cases inside share process start-up; names stay greppable in its output).
function(cordon_test name)
  cmake_parse_arguments(ARG "SERIAL" "TIMEOUT" "SOURCES;LIBS;LABELS;ENV" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} GTest::gmock GTest::gtest_main cordon_warnings)
  cordon_precompile(${name})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}"
    SKIP_REGULAR_EXPRESSION "NOTHING_RAN_SKIPPED")
  set_property(TEST ${name} PROPERTY ENVIRONMENT
    "CORDON_SOURCE_DIR=${CMAKE_SOURCE_DIR};CORDON_BINARY=$<TARGET_FILE:cordon>;${ARG_ENV}")
  if(ARG_SERIAL)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL TRUE)
  endif()
endfunction()
