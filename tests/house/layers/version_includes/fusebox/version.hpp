#pragma once

#include <fusebox/vocabulary/state.hpp>
