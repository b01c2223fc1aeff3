# cmake -D SOURCE=<file> -D COMPILER=<c++> -D INCLUDE=<dir> -D COMMON=<header> -D CONTROL=<ON|OFF>
#       -P compile_fail.cmake
#
# The file's first line is `// expect: <regex>`, its second may be `// flags: <flags>`. With
# -DVIOLATION it must not compile and the compiler must say what is expected; without, it must, which
# is tried here if CONTROL is on.

cmake_minimum_required(VERSION 3.25)
include("${CMAKE_CURRENT_LIST_DIR}/../support/expect_failure.cmake")

file(STRINGS "${SOURCE}" expectation REGEX "^// expect: ")
if(NOT expectation MATCHES "^// expect: ([^;]+)$")
  message(FATAL_ERROR "${SOURCE}: needs one first line '// expect: <regex>' (without a semicolon)")
endif()
set(regex "${CMAKE_MATCH_1}")

file(STRINGS "${SOURCE}" flags REGEX "^// flags: ")
string(REPLACE "// flags: " "" flags "${flags}")
separate_arguments(flags)
# Compiled beforehand without flags; with others it would be read anew.
if(NOT flags)
  set(flags -include "${COMMON}")
endif()

set(compile "${COMPILER}" -std=c++20 -fsyntax-only "-I${INCLUDE}" ${flags} "${SOURCE}")

if(CONTROL)
  execute_process(COMMAND ${compile} RESULT_VARIABLE result ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "the control, without VIOLATION, does not compile:\n${output}")
  endif()
endif()

expect_failure("${regex}" ${compile} -DVIOLATION)
