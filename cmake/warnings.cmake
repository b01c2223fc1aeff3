# Warnings for the project's own tests and examples. They are linked PRIVATE there and never reach
# whoever uses fusebox::fusebox.

#
# Where several files are compiled as one, a name that hides one of another file hides nothing; clang
# complains of it, gcc does not.

add_library(fusebox_warnings INTERFACE)
set(together $<AND:$<CXX_COMPILER_ID:Clang>,$<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>>)
target_compile_options(
  fusebox_warnings
  INTERFACE -Wall -Wextra -Wpedantic -Wconversion $<$<NOT:${together}>:-Wshadow>
            $<$<BOOL:${FUSEBOX_WERROR}>:-Werror>
)
