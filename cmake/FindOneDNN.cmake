# Finds oneDNN (v2 or v3) by header and library, and makes OneDNN::OneDNN.
# Its own config file is not used: Debian's asks for OpenCL, which a CPU build does not need, and the packages of
# PyPI hold the paths of the machine that built them.
# Hints: OneDNN_ROOT (CMake variable or environment), a prefix with include/ and lib/ such as a Python environment
# that PyPI's onednn-devel packages are installed in.
include(FindPackageHandleStandardArgs)
# Of another root than last time, not what was found then.
if(DEFINED OneDNN_ROOT_SEARCHED AND NOT "${OneDNN_ROOT}" STREQUAL "${OneDNN_ROOT_SEARCHED}")
  unset(OneDNN_INCLUDE_DIR CACHE)
  unset(OneDNN_LIBRARY CACHE)
endif()
set(OneDNN_ROOT_SEARCHED "${OneDNN_ROOT}" CACHE INTERNAL "The OneDNN_ROOT that the cached paths were found with")
find_path(OneDNN_INCLUDE_DIR oneapi/dnnl/dnnl.h)
find_library(OneDNN_LIBRARY dnnl)
set(_onednn_reason "")
if(OneDNN_INCLUDE_DIR)
  file(STRINGS ${OneDNN_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h lines REGEX "#define DNNL_VERSION_(MAJOR|MINOR|PATCH) ")
  string(REGEX REPLACE "[^0-9;]*([0-9]+)" "\\1" OneDNN_VERSION "${lines}")
  string(REPLACE ";" "." OneDNN_VERSION "${OneDNN_VERSION}")
  # Header and library of different prefixes would link, and fail when they run.
  if(OneDNN_LIBRARY MATCHES "\\.so$")
    string(REGEX MATCH "^[0-9]+" _onednn_major "${OneDNN_VERSION}")
    if(NOT EXISTS ${OneDNN_LIBRARY}.${_onednn_major})
      set(_onednn_reason "The header ${OneDNN_INCLUDE_DIR}/oneapi/dnnl/dnnl.h (${OneDNN_VERSION}) and the library "
        "${OneDNN_LIBRARY} are not of one version: set OneDNN_ROOT to a prefix that has both")
      string(CONCAT _onednn_reason ${_onednn_reason})
    endif()
  endif()
  # On SYCL a processor is one of its devices, made and driven by calls of its own.
  file(STRINGS ${OneDNN_INCLUDE_DIR}/oneapi/dnnl/dnnl_config.h lines REGEX "#define DNNL_CPU_RUNTIME .*(SYCL|DPCPP)")
  if(lines)
    set(_onednn_reason "The oneDNN ${OneDNN_VERSION} in ${OneDNN_INCLUDE_DIR} runs processors by SYCL: take one for OpenMP")
  endif()
endif()
set(_onednn_matches TRUE)
if(_onednn_reason)
  set(_onednn_matches FALSE)
endif()
find_package_handle_standard_args(OneDNN REQUIRED_VARS OneDNN_LIBRARY OneDNN_INCLUDE_DIR _onednn_matches
  VERSION_VAR OneDNN_VERSION REASON_FAILURE_MESSAGE "${_onednn_reason}")
if(OneDNN_FOUND AND NOT TARGET OneDNN::OneDNN)
  add_library(OneDNN::OneDNN UNKNOWN IMPORTED)
  set_target_properties(OneDNN::OneDNN PROPERTIES IMPORTED_LOCATION ${OneDNN_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${OneDNN_INCLUDE_DIR})
endif()
mark_as_advanced(OneDNN_INCLUDE_DIR OneDNN_LIBRARY)
