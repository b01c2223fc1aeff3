#pragma once

#include <fusebox/breaker/a.hpp>
