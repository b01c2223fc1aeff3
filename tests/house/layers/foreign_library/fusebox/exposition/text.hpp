#include <fmt/format.h>
#include <sys/socket.h>
#include <boost/json.hpp>
#include <string>
