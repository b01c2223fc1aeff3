#pragma once

#include <fusebox/health/report.hpp>
