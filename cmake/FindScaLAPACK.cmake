# Finds a ScaLAPACK with its BLACS over the MPI in use, and makes ScaLAPACK::ScaLAPACK. In module mode, because
# Debian's own config file names a target that does not exist.
#
# In this order:
#   ScaLAPACK_LIBRARIES   given by hand, a list of libraries
#   Cray                  the compiler wrapper links libsci by itself
#   MKL                   where MKLROOT (variable or environment) is set
#   reference             libscalapack-openmpi, -mpich, -mpi or libscalapack
# Results: ScaLAPACK_FOUND, ScaLAPACK_VENDOR (given, cray, mkl, reference), ScaLAPACK_LIBRARIES.
include(CheckFunctionExists)
include(FindPackageHandleStandardArgs)

set(_scalapack_extra "")
if(ScaLAPACK_LIBRARIES)
  if(NOT ScaLAPACK_VENDOR)
    set(ScaLAPACK_VENDOR given)
  endif()
else()
  check_function_exists(psgemm_ ScaLAPACK_IN_COMPILER_WRAPPER)
  if(NOT MKLROOT AND DEFINED ENV{MKLROOT})
    set(MKLROOT $ENV{MKLROOT})
  endif()
  if(ScaLAPACK_IN_COMPILER_WRAPPER)
    set(ScaLAPACK_VENDOR cray)
    set(ScaLAPACK_LIBRARIES MPI::MPI_C)
  elseif(MKLROOT)
    if(MPI_C_LIBRARY_VERSION_STRING MATCHES "Open MPI" OR MPI_C_INCLUDE_DIRS MATCHES "openmpi")
      set(_scalapack_blacs mkl_blacs_openmpi_lp64)
    else()
      set(_scalapack_blacs mkl_blacs_intelmpi_lp64)
    endif()
    set(ScaLAPACK_VENDOR mkl)
    set(_scalapack_found TRUE)
    # PyPI's packages have only the versioned names (libmkl_core.so.2).
    foreach(name mkl_scalapack_lp64 mkl_intel_lp64 mkl_gnu_thread mkl_core ${_scalapack_blacs})
      find_library(ScaLAPACK_${name}_LIBRARY NAMES ${name} lib${name}.so.2 lib${name}.so.3
        PATHS ${MKLROOT}/lib ${MKLROOT}/lib/intel64 NO_DEFAULT_PATH)
      if(ScaLAPACK_${name}_LIBRARY)
        list(APPEND ScaLAPACK_LIBRARIES ${ScaLAPACK_${name}_LIBRARY})
      else()
        set(_scalapack_found FALSE)
      endif()
      mark_as_advanced(ScaLAPACK_${name}_LIBRARY)
    endforeach()
    if(NOT _scalapack_found)
      set(ScaLAPACK_LIBRARIES "")
    endif()
  else()
    find_library(ScaLAPACK_reference_LIBRARY NAMES scalapack-openmpi scalapack-mpich scalapack-mpi scalapack)
    mark_as_advanced(ScaLAPACK_reference_LIBRARY)
    set(ScaLAPACK_VENDOR reference)
    if(ScaLAPACK_reference_LIBRARY)
      set(ScaLAPACK_LIBRARIES ${ScaLAPACK_reference_LIBRARY})
      find_package(BLAS QUIET)
      set(_scalapack_extra BLAS::BLAS)
    endif()
  endif()
endif()

find_package_handle_standard_args(ScaLAPACK REQUIRED_VARS ScaLAPACK_LIBRARIES ScaLAPACK_VENDOR)
if(ScaLAPACK_FOUND AND NOT TARGET ScaLAPACK::ScaLAPACK)
  add_library(ScaLAPACK::ScaLAPACK INTERFACE IMPORTED)
  set_target_properties(ScaLAPACK::ScaLAPACK PROPERTIES
    INTERFACE_LINK_LIBRARIES "${ScaLAPACK_LIBRARIES};${_scalapack_extra};MPI::MPI_C;m")
endif()
