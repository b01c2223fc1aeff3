// SPDX-License-Identifier: MIT
// How much memory this process may use and how much of it is used, as Linux tells.
#pragma once

#include <charconv>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace fusebox {

struct MemoryUsage {
    std::uint64_t used = 0;   ///< Bytes that cannot be had back by dropping caches.
    std::uint64_t limit = 0;  ///< Bytes.
};

namespace detail {

[[nodiscard]] inline std::optional<std::uint64_t> readNumber(std::string_view text) {
    std::uint64_t number = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
    if (result.ec != std::errc{}) return std::nullopt;
    return number;
}

/// The only word of a file; "max" and what is not there are no number.
[[nodiscard]] inline std::optional<std::uint64_t> readNumberFile(const std::string& path) {
    std::ifstream file{path};
    std::string word;
    if (!(file >> word)) return std::nullopt;
    return readNumber(word);
}

/// The number behind a key, in files such as memory.stat and meminfo.
[[nodiscard]] inline std::optional<std::uint64_t> readKey(const std::string& path,
                                                          std::string_view key) {
    std::ifstream file{path};
    std::string line;
    while (std::getline(file, line)) {
        if (!line.starts_with(key)) continue;
        const auto digit = line.find_first_of("0123456789", key.size());
        if (digit == std::string::npos) return std::nullopt;
        return readNumber(std::string_view{line}.substr(digit));
    }
    return std::nullopt;
}

/// The path of this process in the hierarchy of cgroups v2, without a slash at its end.
[[nodiscard]] inline std::string cgroupPath(const std::string& procRoot) {
    std::ifstream file{procRoot + "/self/cgroup"};
    std::string line;
    while (std::getline(file, line)) {
        constexpr std::string_view kUnified = "0::";
        if (!line.starts_with(kUnified)) continue;
        std::string path = line.substr(kUnified.size());
        while (path.ends_with('/')) path.pop_back();
        return path;
    }
    return {};
}

[[nodiscard]] inline std::optional<MemoryUsage> cgroupUsage(const std::string& folder) {
    const auto limit = readNumberFile(folder + "/memory.max");
    const auto current = readNumberFile(folder + "/memory.current");
    if (!limit || !current) return std::nullopt;
    // What the kernel would give back before it kills: the same measure as that of Kubernetes.
    const std::uint64_t idle = readKey(folder + "/memory.stat", "inactive_file ").value_or(0);
    return MemoryUsage{*current > idle ? *current - idle : 0, *limit};
}

/// Whether `a` is nearer to its limit than `b`.
[[nodiscard]] inline bool isTighter(const MemoryUsage& a, const MemoryUsage& b) {
    return static_cast<double>(a.used) * static_cast<double>(b.limit) >
           static_cast<double>(b.used) * static_cast<double>(a.limit);
}

}  // namespace detail

/// The limit of the cgroup (version 2), or of one around it, that is nearest to being reached;
/// without any the memory of the machine. Empty where the system does not tell.
/// The folders can be given for tests.
[[nodiscard]] inline std::optional<MemoryUsage> memoryUsage(
    const std::string& procRoot = "/proc", const std::string& cgroupRoot = "/sys/fs/cgroup") {
    std::optional<MemoryUsage> tightest;
    std::string path = detail::cgroupPath(procRoot);
    for (;;) {
        const auto usage = detail::cgroupUsage(cgroupRoot + path);
        if (usage && (!tightest || detail::isTighter(*usage, *tightest))) tightest = usage;
        if (path.empty()) break;
        const auto slash = path.rfind('/');
        path.resize(slash == std::string::npos ? 0 : slash);
    }
    if (tightest) return tightest;
    const auto total = detail::readKey(procRoot + "/meminfo", "MemTotal:");
    const auto available = detail::readKey(procRoot + "/meminfo", "MemAvailable:");
    if (!total || !available || *available > *total) return std::nullopt;
    constexpr std::uint64_t kKibibyte = 1024;
    return MemoryUsage{(*total - *available) * kKibibyte, *total * kKibibyte};
}

}  // namespace fusebox
