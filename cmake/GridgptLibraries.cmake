# Third-party libraries, as imported targets only.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS C)
if(GG_SANITIZE MATCHES "thread")
  # The thread sanitizer does not see libgomp's barriers, and would take every region for a race: regions are left out,
  # so that each thread of our own computes alone. omp_get_max_threads() and its like stay.
  set_property(TARGET OpenMP::OpenMP_C PROPERTY INTERFACE_COMPILE_OPTIONS -Wno-unknown-pragmas)
endif()
find_package(MPI REQUIRED COMPONENTS C)
find_package(ZLIB REQUIRED)

pkg_check_modules(pcre2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(yaml REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(jansson REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)

# HDF5, with MPI or without: ranks read and write tensors by themselves, and rank 0 the rest. Debian names the
# pkg-config file after the MPI; elsewhere, and below HDF5_ROOT, the compiler wrapper tells.
if(NOT HDF5_ROOT AND NOT DEFINED ENV{HDF5_ROOT})
  pkg_check_modules(hdf5 QUIET IMPORTED_TARGET hdf5-openmpi)
endif()
if(hdf5_FOUND)
  add_library(gridgpt::hdf5 ALIAS PkgConfig::hdf5)
else()
  set(HDF5_PREFER_PARALLEL ON)
  find_package(HDF5 1.10 REQUIRED COMPONENTS C)
  add_library(gridgpt::hdf5 ALIAS hdf5::hdf5)
endif()

# Local matrix multiply: oneDNN where it is found, plain BLAS otherwise.
find_package(BLAS REQUIRED)
if(NOT GG_GEMM STREQUAL "blas")
  find_package(OneDNN)
  if(NOT OneDNN_FOUND AND GG_GEMM STREQUAL "onednn")
    message(FATAL_ERROR "GG_GEMM=onednn but oneDNN was not found (Debian: libdnnl-dev); set OneDNN_ROOT")
  endif()
endif()
if(OneDNN_FOUND)
  message(STATUS "Local matmul: oneDNN ${OneDNN_VERSION}")
else()
  message(STATUS "Local matmul: plain BLAS (oneDNN not found or not wanted)")
endif()

find_package(ScaLAPACK REQUIRED)
message(STATUS "ScaLAPACK: ${ScaLAPACK_VENDOR} (${ScaLAPACK_LIBRARIES})")
