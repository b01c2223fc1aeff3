#pragma once

#include <fusebox/testing/clock.hpp>
