# SPDX-License-Identifier: MIT
# For embedders that build with CMake:
#
#   include(path/to/uiommu/uiommu.cmake)
#   target_sources(kernel PRIVATE ${UIOMMU_SOURCES})
#   target_include_directories(kernel PRIVATE ${UIOMMU_INCLUDES})
#
# UIOMMU_INCLUDES is for the library's own files too; your code needs only
# UIOMMU_PUBLIC_INCLUDES.

set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  "${CMAKE_CURRENT_LIST_DIR}/uiommu.sources")
file(STRINGS "${CMAKE_CURRENT_LIST_DIR}/uiommu.sources" UIOMMU_SOURCES)
list(TRANSFORM UIOMMU_SOURCES PREPEND "${CMAKE_CURRENT_LIST_DIR}/")
set(UIOMMU_PUBLIC_INCLUDES "${CMAKE_CURRENT_LIST_DIR}/include")
set(UIOMMU_INCLUDES "${UIOMMU_PUBLIC_INCLUDES}" "${CMAKE_CURRENT_LIST_DIR}/src")
