# cmake -D COMPILER=<c++> -D PKG_CONFIG=<pkg-config> -D PREFIX=<install tree> -D VERSION=<version>
#       -D CONSUMER=<cpp> -D WORK=<dir> -P pkg_config.cmake

set(ENV{PKG_CONFIG_PATH} "")
set(ENV{PKG_CONFIG_LIBDIR} "${PREFIX}/share/pkgconfig")

function(ask out)
  execute_process(
    COMMAND "${PKG_CONFIG}" ${ARGN} fusebox
    OUTPUT_VARIABLE answer OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY
  )
  set(${out} "${answer}" PARENT_SCOPE)
endfunction()

ask(version --modversion)
if(NOT version STREQUAL VERSION)
  message(FATAL_ERROR "pkg-config says version '${version}', not ${VERSION}")
endif()

ask(flags --cflags --libs)
separate_arguments(flags UNIX_COMMAND "${flags}")
file(MAKE_DIRECTORY "${WORK}")
execute_process(
  COMMAND "${COMPILER}" -std=c++20 "${CONSUMER}" ${flags} -o consumer
  WORKING_DIRECTORY "${WORK}" COMMAND_ERROR_IS_FATAL ANY
)
execute_process(COMMAND "${WORK}/consumer" COMMAND_ERROR_IS_FATAL ANY)
