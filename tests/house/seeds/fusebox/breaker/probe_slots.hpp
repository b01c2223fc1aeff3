// SPDX-License-Identifier: MIT
// What a bug of the catalogue changes, twice: which of them is it?
starts_(static_cast<std::size_t>(limit), kFree);
starts_(static_cast<std::size_t>(limit), kFree);
