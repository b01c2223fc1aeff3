# Everything installed is independent of the architecture, so the package files live under share/.

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir "${CMAKE_INSTALL_DATADIR}/cmake/fusebox")
set(pkgconfig_dir "${CMAKE_INSTALL_DATADIR}/pkgconfig")

install(TARGETS fusebox EXPORT fusebox-targets FILE_SET HEADERS)
install(EXPORT fusebox-targets NAMESPACE fusebox:: DESTINATION "${package_dir}")

configure_package_config_file(
  cmake/fusebox-config.cmake.in "${PROJECT_BINARY_DIR}/fusebox-config.cmake"
  INSTALL_DESTINATION "${package_dir}"
  NO_SET_AND_CHECK_MACRO
)
# While the version is 0.x, a minor release may break its users.
write_basic_package_version_file(
  "${PROJECT_BINARY_DIR}/fusebox-config-version.cmake"
  COMPATIBILITY SameMinorVersion
  ARCH_INDEPENDENT
)
install(
  FILES "${PROJECT_BINARY_DIR}/fusebox-config.cmake"
        "${PROJECT_BINARY_DIR}/fusebox-config-version.cmake"
  DESTINATION "${package_dir}"
)

# Paths relative to the .pc file itself, so that an install tree can be moved.
file(
  RELATIVE_PATH pkgconfig_includedir
  "${CMAKE_INSTALL_FULL_DATADIR}/pkgconfig" "${CMAKE_INSTALL_FULL_INCLUDEDIR}"
)
configure_file(cmake/fusebox.pc.in "${PROJECT_BINARY_DIR}/fusebox.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/fusebox.pc" DESTINATION "${pkgconfig_dir}")

install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
