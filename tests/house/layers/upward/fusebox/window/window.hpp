#pragma once

#include <fusebox/breaker/permit.hpp>
