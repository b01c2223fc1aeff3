# cmake -D ROOT=<.../include/fusebox> -P check_layers.cmake
#
# Rooms are folders with a number. A file may include its own room, without circles, and rooms with
# lower numbers; two rooms with the same number do not know each other. Rooms 1 to 6 know nothing
# but the standard library; exposition and health know a few libraries more. Every breach is listed,
# then the script fails.

cmake_minimum_required(VERSION 3.25)
cmake_path(ABSOLUTE_PATH ROOT NORMALIZE)

set(room_vocabulary 1)
set(room_window 2)
set(room_policy 3)
set(room_breaker 4)
set(room_registry 5)
set(room_async 6)
set(room_exposition 7)
set(room_health 7)
set(room_adapters 8)
set(room_testing 8)
set(last_std_room 6)

set(standard_headers
    algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono
    cinttypes climits clocale cmath compare complex concepts condition_variable coroutine csetjmp
    csignal cstdarg cstddef cstdint cstdio cstdlib cstring ctime cuchar cwchar cwctype deque
    exception execution expected filesystem format forward_list fstream functional future
    initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale map memory
    memory_resource mutex new numbers numeric optional ostream queue random ranges ratio regex
    scoped_allocator semaphore set shared_mutex source_location span sstream stack stdexcept
    stop_token streambuf string string_view strstream syncstream system_error thread tuple type_traits
    typeindex typeinfo unordered_map unordered_set utility valarray variant vector version
)
# Where the system or the processor is asked for something the standard library has no word for,
# under an #ifdef.
set(system_headers cpuid.h pthread.h sched.h signal.h time.h)

# What the exposition room may include besides.
set(exposition_headers "^(fmt|nlohmann)/|^(netdb|unistd|sys/socket|sys/types)\\.h$")
# The same for health.
set(health_headers "^nlohmann/|^(fcntl|netdb|poll|unistd|sys/socket|sys/types)\\.h$")

set(complaints "")
macro(complain text)
  list(APPEND complaints "${text}")
endmacro()

# The room of a file, given by its path below ROOT: its name in <out_name>, its number in <out>.
# version.hpp is below all rooms and the umbrella above those that need only the standard library.
function(room_of path out_name out)
  set(number "")
  if(path STREQUAL "version.hpp")
    set(name version.hpp)
    set(number 0)
  elseif(path STREQUAL "fusebox.hpp")
    set(name fusebox.hpp)
    set(number 99)
  elseif(path MATCHES "^([^/]+)/")
    set(name "${CMAKE_MATCH_1}")
    if(DEFINED room_${name})
      set(number "${room_${name}}")
    endif()
  endif()
  set(${out_name} "${name}" PARENT_SCOPE)
  set(${out} "${number}" PARENT_SCOPE)
endfunction()

file(GLOB_RECURSE files RELATIVE "${ROOT}" "${ROOT}/*.hpp")
if(NOT files)
  message(FATAL_ERROR "no headers below '${ROOT}'")
endif()

foreach(file IN LISTS files)
  set(own_room_edges_${file} "")
  room_of("${file}" from_name from)
  if(from STREQUAL "")
    complain("${file}: belongs to no room")
    continue()
  endif()

  file(STRINGS "${ROOT}/${file}" directives REGEX "^[ \t]*#[ \t]*include")
  foreach(directive IN LISTS directives)
    if(NOT directive MATCHES "include[ \t]*[<\"]([^>\"]+)[>\"]")
      complain("${file}: cannot read '${directive}'")
      continue()
    endif()
    set(header "${CMAKE_MATCH_1}")

    set(target "")
    if(header MATCHES "^fusebox/(.*)")
      set(target "${CMAKE_MATCH_1}")
    elseif(directive MATCHES "\"")
      get_filename_component(folder "${file}" DIRECTORY)
      cmake_path(APPEND folder "${header}" OUTPUT_VARIABLE target)
      cmake_path(NORMAL_PATH target)
    endif()

    if(target STREQUAL "")
      if(from LESS_EQUAL last_std_room OR file STREQUAL "fusebox.hpp")
        if(NOT header IN_LIST standard_headers AND NOT header IN_LIST system_headers)
          complain("${file}: <${header}> is not of the standard library")
        endif()
      elseif(DEFINED ${from_name}_headers)
        if(NOT header IN_LIST standard_headers AND NOT header MATCHES "${${from_name}_headers}")
          complain("${file}: <${header}> is not of a library that ${from_name} may use")
        endif()
      endif()
    elseif(NOT target IN_LIST files)
      complain("${file}: '${header}' does not exist")
    elseif(file STREQUAL "version.hpp")
      complain("version.hpp: includes '${header}', but may include nothing")
    else()
      room_of("${target}" to_name to)
      if(from_name STREQUAL to_name)
        list(APPEND own_room_edges_${file} "${target}")
      elseif(to STREQUAL "")
        # Already listed: the file there belongs to no room.
      elseif(file STREQUAL "fusebox.hpp")
        if(to GREATER last_std_room)
          complain("fusebox.hpp: includes '${header}' of room ${to}, may include 1 to ${last_std_room}")
        endif()
      elseif(to EQUAL from)
        complain("${file}: includes '${header}', but ${from_name} and ${to_name} are neighbours")
      elseif(to GREATER from)
        complain("${file}: includes upwards '${header}' (room ${from} to ${to})")
      endif()
    endif()
  endforeach()
endforeach()

# Circles: take away files that include nothing that is left, until nothing changes. Each file of
# what remains includes one that remains, so following includes from any of them finds a circle.
set(left ${files})
set(changed TRUE)
while(changed)
  set(changed FALSE)
  foreach(file IN LISTS left)
    set(waits FALSE)
    foreach(target IN LISTS own_room_edges_${file})
      if(target IN_LIST left)
        set(waits TRUE)
      endif()
    endforeach()
    if(NOT waits)
      list(REMOVE_ITEM left "${file}")
      set(changed TRUE)
    endif()
  endforeach()
endwhile()
if(left)
  list(GET left 0 file)
  set(walk "")
  while(NOT file IN_LIST walk)
    list(APPEND walk "${file}")
    foreach(target IN LISTS own_room_edges_${file})
      if(target IN_LIST left)
        set(file "${target}")
        break()
      endif()
    endforeach()
  endwhile()
  list(FIND walk "${file}" start)
  list(SUBLIST walk ${start} -1 circle)
  list(APPEND circle "${file}")
  list(JOIN circle " -> " circle)
  complain("a circle: ${circle}")
endif()

if(complaints)
  list(JOIN complaints "\n  " complaints)
  message(FATAL_ERROR "layers:\n  ${complaints}")
endif()
list(LENGTH files count)
message(STATUS "layers: ${count} headers keep to their rooms")
