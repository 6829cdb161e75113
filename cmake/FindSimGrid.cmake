# SimGrid::SMPI: SimGrid's simulated MPI, whose mpi.h stands in a folder of its own. For tests/scale/ alone.
include(FindPackageHandleStandardArgs)

find_path(SimGrid_INCLUDE_DIR smpi/mpi.h)
find_library(SimGrid_LIBRARY simgrid)
find_package_handle_standard_args(SimGrid REQUIRED_VARS SimGrid_LIBRARY SimGrid_INCLUDE_DIR)
mark_as_advanced(SimGrid_LIBRARY SimGrid_INCLUDE_DIR)

if(SimGrid_FOUND AND NOT TARGET SimGrid::SMPI)
  add_library(SimGrid::SMPI UNKNOWN IMPORTED)
  set_target_properties(SimGrid::SMPI PROPERTIES IMPORTED_LOCATION ${SimGrid_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES "${SimGrid_INCLUDE_DIR}/smpi;${SimGrid_INCLUDE_DIR}")
endif()
