# cmake -D COMPILER=<c++> -D SOURCE=<repository> -D CONSUMER=<cpp> -D WORK=<dir> -P vendored.cmake
#
# The folder include/fusebox copied into a program of one compiler line.

file(REMOVE_RECURSE "${WORK}")
file(COPY "${SOURCE}/include/fusebox" DESTINATION "${WORK}/vendor")
execute_process(
  COMMAND "${COMPILER}" -std=c++20 -I vendor "${CONSUMER}" -o consumer
  WORKING_DIRECTORY "${WORK}" COMMAND_ERROR_IS_FATAL ANY
)
execute_process(COMMAND "${WORK}/consumer" COMMAND_ERROR_IS_FATAL ANY)
