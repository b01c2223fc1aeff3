// SPDX-License-Identifier: MIT
// The one place where the version stands; the build, the package and the docs read it from here.
#pragma once

#define FUSEBOX_VERSION_MAJOR 0
#define FUSEBOX_VERSION_MINOR 1
#define FUSEBOX_VERSION_PATCH 0
