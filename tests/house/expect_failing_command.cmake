# cmake -D EXPECT=<regex> -P expect_failing_command.cmake -- <program> <argument>...

include("${CMAKE_CURRENT_LIST_DIR}/../support/expect_failure.cmake")

set(command)
set(begun FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(begun)
    list(APPEND command "${CMAKE_ARGV${i}}")
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(begun TRUE)
  endif()
endforeach()
expect_failure("${EXPECT}" ${command})
