#pragma once

#include <fusebox/breaker/b.hpp>
