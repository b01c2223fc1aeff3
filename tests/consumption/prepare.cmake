# cmake -D BUILD=<build tree> -D WORK=<dir> -P prepare.cmake
#
# Empties WORK and installs into WORK/prefix. A second tree is installed elsewhere and moved to
# WORK/moved, so that a path that remembers its first place breaks the tests that use it.

function(install_into prefix)
  execute_process(
    COMMAND "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${prefix}"
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY
  )
endfunction()

file(REMOVE_RECURSE "${WORK}")
install_into("${WORK}/prefix")
install_into("${WORK}/first")
file(RENAME "${WORK}/first" "${WORK}/moved")
