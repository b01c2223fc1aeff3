# expect_failure(<regex> <command>...): the command must fail, and its output must match the regex.
# Checking only one of the two would let any other failure, or a mere warning, pass for this one.

function(expect_failure regex)
  execute_process(
    COMMAND ${CMAKE_COMMAND} -E env LC_ALL=C ${ARGN}
    RESULT_VARIABLE result
    OUTPUT_VARIABLE output
    ERROR_VARIABLE output
  )
  if(result EQUAL 0)
    message(FATAL_ERROR "should have failed, but succeeded:\n${output}")
  endif()
  # CMake breaks the lines of its own messages.
  string(REGEX REPLACE "[ \t\r\n]+" " " flat "${output}")
  if(NOT flat MATCHES "${regex}")
    message(FATAL_ERROR "failed, but without saying '${regex}':\n${output}")
  endif()
endfunction()
