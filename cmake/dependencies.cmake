# What the tests and examples need; the library itself needs only the standard library and threads.
# An installed package is preferred. Downloads are pinned by hash and happen only with
# FUSEBOX_FETCH_DEPS, which is off for anyone who merely uses the library.

include(FetchContent)

# SYSTEM stands first because CMake 3.25 appends it to whatever argument it follows.

macro(fusebox_require_fmt)
  # fmt's version file accepts every newer release; 9 to 12 are the ones that were tried.
  find_package(fmt 9 QUIET CONFIG)
  if(fmt_FOUND)
    message(STATUS "fusebox: fmt ${fmt_VERSION} from ${fmt_DIR}")
  elseif(FUSEBOX_FETCH_DEPS)
    message(STATUS "fusebox: fmt not found, fetching 11.0.2")
    FetchContent_Declare(
      fmt
      SYSTEM
      URL https://github.com/fmtlib/fmt/archive/refs/tags/11.0.2.tar.gz
      URL_HASH SHA256=6cb1e6d37bdcb756dbbe59be438790db409cdb4868c66e888d5df9f13f7c027f
      DOWNLOAD_EXTRACT_TIMESTAMP OFF
    )
    FetchContent_MakeAvailable(fmt)
  else()
    message(
      FATAL_ERROR
      "fusebox: the tests and examples need fmt 9 or newer, and it was not found. "
      "On Debian or Ubuntu: apt-get install libfmt-dev. "
      "Elsewhere set CMAKE_PREFIX_PATH, or FUSEBOX_FETCH_DEPS=ON to download it."
    )
  endif()
endmacro()

macro(fusebox_require_catch2)
  # Two searches, because Catch2 2's version file refuses the range 2.13.5...<4.
  find_package(Catch2 3 QUIET CONFIG)
  if(NOT Catch2_FOUND)
    find_package(Catch2 2.13.5 QUIET CONFIG)
  endif()
  if(Catch2_FOUND)
    message(STATUS "fusebox: Catch2 ${Catch2_VERSION} from ${Catch2_DIR}")
  elseif(FUSEBOX_FETCH_DEPS)
    message(STATUS "fusebox: Catch2 not found, fetching 3.7.1")
    FetchContent_Declare(
      Catch2
      SYSTEM
      URL https://github.com/catchorg/Catch2/archive/refs/tags/v3.7.1.tar.gz
      URL_HASH SHA256=c991b247a1a0d7bb9c39aa35faf0fe9e19764213f28ffba3109388e62ee0269c
      DOWNLOAD_EXTRACT_TIMESTAMP OFF
    )
    # Catch2 must be built for the standard its users have, or its string makers differ.
    set(CMAKE_CXX_STANDARD 20)
    FetchContent_MakeAvailable(Catch2)
    unset(CMAKE_CXX_STANDARD)
    list(APPEND CMAKE_MODULE_PATH "${catch2_SOURCE_DIR}/extras")
  else()
    message(
      FATAL_ERROR
      "fusebox: the tests need Catch2 2.13.5 or newer, and it was not found. "
      "On Debian or Ubuntu: apt-get install catch2. "
      "Elsewhere set CMAKE_PREFIX_PATH, or FUSEBOX_FETCH_DEPS=ON to download it, "
      "or FUSEBOX_BUILD_TESTS=OFF."
    )
  endif()
endmacro()

# Makes fusebox_httplib, or leaves it undefined where cpp-httplib is not installed. Upstream and most
# package managers export httplib::httplib; Debian compiles the library and has only a .pc file.
function(fusebox_find_httplib)
  if(TARGET fusebox_httplib)
    return()
  endif()
  # Found once, used in several directories.
  set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL TRUE)
  find_package(httplib QUIET CONFIG)
  if(httplib_FOUND)
    add_library(fusebox_httplib INTERFACE)
    target_link_libraries(fusebox_httplib INTERFACE httplib::httplib)
    return()
  endif()
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    pkg_check_modules(cpp_httplib QUIET IMPORTED_TARGET GLOBAL cpp-httplib)
    if(cpp_httplib_FOUND)
      add_library(fusebox_httplib INTERFACE)
      target_link_libraries(fusebox_httplib INTERFACE PkgConfig::cpp_httplib)
    endif()
  endif()
endfunction()

# What a source or header needs beyond the library itself: lines `// needs: <package> [<target>]`
# (default target: <package>::<package>; where there is a function fusebox_find_<package>, that finds
# it), or `// needs: program <name>`. Sets <out_targets> to the
# targets to link, and <out_missing> to what was not found.
function(fusebox_needs file out_targets out_missing)
  set(targets "")
  set(missing "")
  file(STRINGS "${file}" lines REGEX "^// needs: ")
  foreach(line IN LISTS lines)
    string(REGEX MATCH "^// needs: +([^ ]+) *([^ ]*)" line "${line}")
    set(package "${CMAKE_MATCH_1}")
    set(target "${CMAKE_MATCH_2}")
    if(package STREQUAL "program")
      # Debian keeps the programs of PostgreSQL out of the path.
      file(GLOB folders /usr/lib/postgresql/*/bin)
      find_program(FUSEBOX_PROGRAM_${target} ${target} HINTS ${folders})
      if(NOT FUSEBOX_PROGRAM_${target})
        list(APPEND missing ${target})
      endif()
      continue()
    endif()
    if(COMMAND fusebox_find_${package})
      cmake_language(CALL fusebox_find_${package})
      set(target fusebox_${package})
    elseif(NOT package STREQUAL "fmt")
      find_package(${package} QUIET CONFIG)
    endif()
    if(target STREQUAL "")
      set(target "${package}::${package}")
    endif()
    if(TARGET ${target})
      list(APPEND targets ${target})
    else()
      list(APPEND missing ${package})
    endif()
  endforeach()
  list(REMOVE_DUPLICATES targets)
  set(${out_targets} "${targets}" PARENT_SCOPE)
  set(${out_missing} "${missing}" PARENT_SCOPE)
endfunction()

# The next four make fusebox_asio, fusebox_boost_asio, fusebox_curl and fusebox_pqxx, or leave them
# undefined.

# Standalone Asio 1.22 or newer. Package managers export asio::asio; Debian has the headers alone.
function(fusebox_find_asio)
  if(TARGET fusebox_asio)
    return()
  endif()
  find_package(asio QUIET CONFIG)
  if(TARGET asio::asio)
    add_library(fusebox_asio INTERFACE)
    target_link_libraries(fusebox_asio INTERFACE asio::asio)
  else()
    find_path(fusebox_asio_include_dir asio/version.hpp)
    mark_as_advanced(fusebox_asio_include_dir)
    if(fusebox_asio_include_dir)
      file(STRINGS "${fusebox_asio_include_dir}/asio/version.hpp" version REGEX "define ASIO_VERSION ")
      if(version MATCHES "ASIO_VERSION ([0-9]+)" AND CMAKE_MATCH_1 GREATER_EQUAL 102200)
        add_library(fusebox_asio INTERFACE)
        target_include_directories(fusebox_asio SYSTEM INTERFACE "${fusebox_asio_include_dir}")
      endif()
    endif()
  endif()
  if(TARGET fusebox_asio)
    target_compile_definitions(fusebox_asio INTERFACE FUSEBOX_ASIO_BOOST=0)
  endif()
endfunction()

function(fusebox_find_boost_asio)
  if(TARGET fusebox_boost_asio)
    return()
  endif()
  find_package(Boost 1.81 QUIET CONFIG)
  if(TARGET Boost::headers)
    add_library(fusebox_boost_asio INTERFACE)
    target_link_libraries(fusebox_boost_asio INTERFACE Boost::headers)
    target_compile_definitions(fusebox_boost_asio INTERFACE FUSEBOX_ASIO_BOOST=1)
  endif()
endfunction()

function(fusebox_find_curl)
  if(TARGET fusebox_curl)
    return()
  endif()
  find_package(CURL 7.66 QUIET)
  if(TARGET CURL::libcurl)
    add_library(fusebox_curl INTERFACE)
    target_link_libraries(fusebox_curl INTERFACE CURL::libcurl)
  endif()
endfunction()

# libpqxx 6 or newer. Version 7 has a CMake package; Debian 12 has 6.4 with a .pc file.
function(fusebox_find_pqxx)
  if(TARGET fusebox_pqxx)
    return()
  endif()
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    pkg_check_modules(libpqxx QUIET IMPORTED_TARGET GLOBAL libpqxx>=6)
    if(libpqxx_FOUND)
      add_library(fusebox_pqxx INTERFACE)
      target_link_libraries(fusebox_pqxx INTERFACE PkgConfig::libpqxx)
    endif()
  endif()
endfunction()
