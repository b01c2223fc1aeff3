# Warnings for the project's own tests and examples. They are linked PRIVATE there and never reach
# whoever uses fusebox::fusebox.

add_library(fusebox_warnings INTERFACE)
target_compile_options(
  fusebox_warnings
  INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion $<$<BOOL:${FUSEBOX_WERROR}>:-Werror>
)
