#pragma once

#include <fusebox/window/ring.hpp>
