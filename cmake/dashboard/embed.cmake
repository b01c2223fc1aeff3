# cmake -D ROOT=<repository> [-D FIX=ON] -P embed.cmake
#
# The dashboard is written in dashboard.html, dashboard.css and dashboard.js, and served from
# include/fusebox/adapters/detail/dashboard_page.hpp, which is made from them: the library is headers
# alone. This checks that both agree; with FIX=ON it writes the header.

cmake_minimum_required(VERSION 3.25)
cmake_path(ABSOLUTE_PATH ROOT NORMALIZE)
set(header "${ROOT}/include/fusebox/adapters/detail/dashboard_page.hpp")

file(READ "${CMAKE_CURRENT_LIST_DIR}/dashboard.html" html)
file(READ "${CMAKE_CURRENT_LIST_DIR}/dashboard.css" style)
file(READ "${CMAKE_CURRENT_LIST_DIR}/dashboard.js" script)

# CMake knows digests in hexadecimal only, a content security policy wants base64.
function(base64_of_sha256 text out)
  set(letters "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  string(SHA256 digest "${text}")
  set(result "")
  # Three hexadecimal digits are two letters; of 64 digits one is left, and two zeros.
  string(APPEND digest "00")
  foreach(at RANGE 0 63 3)
    string(SUBSTRING "${digest}" ${at} 3 three)
    math(EXPR high "0x${three} >> 6")
    math(EXPR low "0x${three} & 63")
    string(SUBSTRING "${letters}" ${high} 1 first)
    string(SUBSTRING "${letters}" ${low} 1 second)
    string(APPEND result "${first}${second}")
  endforeach()
  # The last letter would hold nothing but those zeros.
  string(REGEX REPLACE "A$" "=" result "${result}")
  set(${out} "${result}" PARENT_SCOPE)
endfunction()

base64_of_sha256("${style}" style_digest)
base64_of_sha256("${script}" script_digest)

# The page in five pieces: the limit of some compilers is a literal's length.
foreach(place css script)
  string(FIND "${html}" "@${place}@" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "dashboard.html has no @${place}@")
  endif()
  string(LENGTH "@${place}@" length)
  math(EXPR after "${at} + ${length}")
  string(SUBSTRING "${html}" 0 ${at} before_${place})
  string(SUBSTRING "${html}" ${after} -1 html)
endforeach()

string(CONCAT text [=[
// SPDX-License-Identifier: MIT
// The dashboard as it is sent. Written by cmake/dashboard/embed.cmake from the files beside it:
// change those, then `cmake --build --preset dev --target embed-dashboard`.
#pragma once

#include <string>
#include <string_view>

namespace fusebox::detail {

/// What the page may do: run and look as the hashes say, and ask its own server; texts never become
/// markup.
inline constexpr std::string_view kDashboardPolicy =
    "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'; "
]=] "    \"style-src 'sha256-${style_digest}'; \"\n"
    "    \"script-src 'sha256-${script_digest}'\";\n\n"
    "/// The page, of UTF-8.\n"
    "[[nodiscard]] inline std::string dashboardPage() {\n"
    "    std::string page{R\"page(${before_css})page\"};\n"
    "    page += R\"page(${style})page\";\n"
    "    page += R\"page(${before_script})page\";\n"
    "    page += R\"page(${script})page\";\n"
    "    page += R\"page(${html})page\";\n"
    "    return page;\n"
    "}\n\n"
    "}  // namespace fusebox::detail\n")

set(present "")
if(EXISTS "${header}")
  file(READ "${header}" present)
endif()
if(present STREQUAL text)
  message(STATUS "dashboard: ${header} agrees")
elseif(FIX)
  file(WRITE "${header}" "${text}")
  message(STATUS "dashboard: wrote ${header}")
else()
  message(
    FATAL_ERROR
    "dashboard_page.hpp differs from the files in cmake/dashboard. To write it:\n"
    "  cmake -D ROOT=. -D FIX=ON -P cmake/dashboard/embed.cmake"
  )
endif()
