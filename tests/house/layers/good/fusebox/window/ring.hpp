#pragma once

#include <fusebox/window/window.hpp>
#include "window.hpp"
