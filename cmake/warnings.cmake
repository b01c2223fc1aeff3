# Warnings for the project's own tests and examples. They are linked PRIVATE there and never reach
# whoever uses fusebox::fusebox.

# Where several files are compiled as one, a name that hides one of another file hides nothing (clang
# complains of it, gcc does not), and what is in no header has types that others cannot name (gcc
# complains of those in the frames of coroutines).
add_library(fusebox_warnings INTERFACE)
set(together $<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>)
target_compile_options(
  fusebox_warnings
  INTERFACE -Wall -Wextra -Wpedantic -Wconversion
            $<$<NOT:$<AND:${together},$<CXX_COMPILER_ID:Clang>>>:-Wshadow>
            $<$<AND:${together},$<CXX_COMPILER_ID:GNU>>:-Wno-subobject-linkage>
            $<$<BOOL:${FUSEBOX_WERROR}>:-Werror>
)
