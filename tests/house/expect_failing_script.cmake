# cmake -D EXPECT=<regex> -D ROOT=<tree> -D SCRIPT=<script> -P expect_failing_script.cmake

include("${CMAKE_CURRENT_LIST_DIR}/../support/expect_failure.cmake")
expect_failure("${EXPECT}" "${CMAKE_COMMAND}" -D "ROOT=${ROOT}" -P "${SCRIPT}")
