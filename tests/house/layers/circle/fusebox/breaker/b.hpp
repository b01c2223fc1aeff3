#pragma once

#include "c.hpp"
