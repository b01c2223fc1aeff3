#pragma once

#include <time.h>

#include <fusebox/version.hpp>
#include <fusebox/vocabulary/state.hpp>
#include <vector>
