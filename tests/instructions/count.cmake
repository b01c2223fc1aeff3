# cmake -D PROGRAM=<calls> -D COUNTS=<file> -D VALGRIND=<valgrind> -D DIR=<scratch> -P count.cmake
#
# Runs the program under callgrind and compares the instructions a call with the file, which says
# how much they may differ.
cmake_minimum_required(VERSION 3.25)

set(calls 1000) # as in calls.cpp

file(REMOVE_RECURSE "${DIR}")
file(MAKE_DIRECTORY "${DIR}")
execute_process(
  COMMAND "${VALGRIND}" -q --tool=callgrind "--callgrind-out-file=${DIR}/dump" "${PROGRAM}"
  COMMAND_ERROR_IS_FATAL ANY
)

# Two batches a kind, of N and of 2N calls.
file(GLOB dumps "${DIR}/dump.*")
list(SORT dumps COMPARE NATURAL)
set(kinds "")
foreach(dump IN LISTS dumps)
  file(STRINGS "${dump}" head LIMIT_COUNT 20)
  if(NOT head MATCHES "Client Request: ([^;]+);.*summary: ([0-9]+)")
    message(FATAL_ERROR "${dump} is no dump of a batch")
  endif()
  set(kind "${CMAKE_MATCH_1}")
  set(batch "${CMAKE_MATCH_2}")
  string(MAKE_C_IDENTIFIER "${kind}" key)
  if(DEFINED first_${key})
    math(EXPR counted_${key} "(${batch} - ${first_${key}} + ${calls} / 2) / ${calls}")
    list(APPEND kinds "${kind}")
  else()
    set(first_${key} "${batch}")
  endif()
endforeach()

set(problems "")
file(STRINGS "${COUNTS}" lines REGEX "^[0-9]")
message("counted  listed")
foreach(line IN LISTS lines)
  if(NOT line MATCHES "^([0-9]+) +([^#]*[^# ]) +#")
    message(FATAL_ERROR "${COUNTS}: not '<count> <kind> # <why>': ${line}")
  endif()
  set(listed "${CMAKE_MATCH_1}")
  set(kind "${CMAKE_MATCH_2}")
  string(MAKE_C_IDENTIFIER "${kind}" key)
  set(counted "${counted_${key}}")
  message("${counted}  ${listed}  ${kind}")
  math(EXPR slack "2 + ${listed} / 10")
  math(EXPR ceiling "${listed} + ${slack}")
  math(EXPR floor "${listed} - ${slack}")
  if(NOT kind IN_LIST kinds)
    string(APPEND problems "\n  ${kind}: listed, but not counted")
  elseif(counted GREATER ceiling)
    string(APPEND problems "\n  ${kind}: ${counted} instructions a call, the ceiling is ${ceiling}")
  elseif(counted LESS floor)
    string(APPEND problems "\n  ${kind}: only ${counted} instructions a call: lower the line")
  endif()
  list(REMOVE_ITEM kinds "${kind}")
endforeach()
foreach(kind IN LISTS kinds)
  string(MAKE_C_IDENTIFIER "${kind}" key)
  string(APPEND problems "\n  ${kind}: ${counted_${key}} instructions a call, and no line")
endforeach()

if(problems)
  message(FATAL_ERROR "${COUNTS} does not hold:${problems}")
endif()
