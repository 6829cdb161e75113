# gridgpt_test and gridgpt_script_test register the tests. A test has one of three labels, by what it is:
#   quick  each well below two seconds, on one rank: a C test of one rank, unless it says SLOW
#   mpi    several ranks: a C test with RANKS; a script with mpirun in it, or in what it sources from tests/
#   slow   the rest
# and `threads` besides, if it is one of those that `tests/run.sh tsan` runs.

# Sanitizers slow everything down.
set(GG_TEST_PATIENCE 1)
if(GG_SANITIZE)
  set(GG_TEST_PATIENCE 5)
endif()

# gridgpt_add_test(NAME COMMAND words... [WORKING_DIRECTORY folder] PROCESSORS n TIMEOUT seconds LABELS labels...)
# What all tests have in common. Exit status 77 means skipped. PROCESSORS are the cores that it keeps busy, taken over its
# whole time, rather than its ranks: those wait for most of a start. Tests with the longest time limits begin first, so
# that at the end no core waits for a long one.
function(gridgpt_add_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT;PROCESSORS" "LABELS" ${ARGN})
  math(EXPR timeout "${ARG_TIMEOUT} * ${GG_TEST_PATIENCE}")
  add_test(NAME ${name} ${ARG_UNPARSED_ARGUMENTS})
  set_tests_properties(${name} PROPERTIES PROCESSORS ${ARG_PROCESSORS} TIMEOUT ${timeout} COST ${ARG_TIMEOUT}
    ENVIRONMENT "${GG_TEST_ENVIRONMENT}" SKIP_RETURN_CODE 77 LABELS "${ARG_LABELS}")
endfunction()

# gridgpt_test(SOURCE [CORE] [SLOW] [THREADS] [RANKS n...] [TIMEOUT seconds] [LINK targets...])
# A C test program, run alone or, for every n of RANKS, under mpirun with n ranks. CORE: it is linked with core/ alone.
# SLOW: it takes seconds. THREADS: the thread sanitizer runs it, with RANKS on 2 and 3 of them.
function(gridgpt_test source)
  cmake_parse_arguments(ARG "CORE;SLOW;THREADS" "TIMEOUT" "RANKS;LINK" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  get_filename_component(name ${source} NAME_WE)
  set_property(GLOBAL APPEND PROPERTY GG_REGISTERED_TESTS ${source})
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE $<IF:$<BOOL:${ARG_CORE}>,gridgpt::core,gridgpt::jobs> PkgConfig::cmocka ${ARG_LINK})
  if(ARG_RANKS)
    foreach(ranks ${ARG_RANKS})
      math(EXPR processors "(${ranks} + 1) / 2")
      set(labels mpi)
      if(ARG_THREADS AND ranks MATCHES "^[23]$")
        list(APPEND labels threads)
      endif()
      gridgpt_add_test(${name}_${ranks} COMMAND ${MPIEXEC_EXECUTABLE} -n ${ranks} $<TARGET_FILE:${name}>
        PROCESSORS ${processors} TIMEOUT ${ARG_TIMEOUT} LABELS ${labels})
    endforeach()
  else()
    if(ARG_SLOW)
      set(labels slow)
    else()
      set(labels quick)
    endif()
    if(ARG_THREADS)
      list(APPEND labels threads)
    endif()
    gridgpt_add_test(${name} COMMAND ${name} PROCESSORS 1 TIMEOUT ${ARG_TIMEOUT} LABELS ${labels})
  endif()
endfunction()

# gridgpt_script_test(SCRIPT [QUICK] [THREADS] [PROCESSORS n] [TIMEOUT seconds]): a bash script that drives the real
# program ($GRIDGPT) in a scratch folder of its own, its working directory; exit status 77 means skipped.
# QUICK: it takes less than two seconds, all the same.
function(gridgpt_script_test script)
  cmake_parse_arguments(ARG "QUICK;THREADS" "TIMEOUT;PROCESSORS" "" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(NOT ARG_PROCESSORS)
    set(ARG_PROCESSORS 1)
  endif()
  file(STRINGS ${script} several_ranks REGEX "mpirun|/(training|signals)\\.sh" LIMIT_COUNT 1)
  if(several_ranks)
    set(labels mpi)
  elseif(ARG_QUICK)
    set(labels quick)
  else()
    set(labels slow)
  endif()
  if(ARG_THREADS)
    list(APPEND labels threads)
  endif()
  get_filename_component(name ${script} NAME_WE)
  set_property(GLOBAL APPEND PROPERTY GG_REGISTERED_TESTS ${script})
  set(scratch ${CMAKE_CURRENT_BINARY_DIR}/scratch/${name})
  file(MAKE_DIRECTORY ${scratch})
  gridgpt_add_test(${name} COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/${script} WORKING_DIRECTORY ${scratch}
    PROCESSORS ${ARG_PROCESSORS} TIMEOUT ${ARG_TIMEOUT} LABELS ${labels})
endfunction()

# Lesser processors, imitated: `library` has the library's own bf16 products, which on a processor with AMX ours stand
# in for; `none` has no bf16 by anyone, and of the library the kernels for AVX2.
set(GG_LIBRARY_PROCESSOR GRIDGPT_AMX=0)
set(GG_NONE_PROCESSOR GRIDGPT_AMX=0 DNNL_MAX_CPU_ISA=AVX2 ONEDNN_MAX_CPU_ISA=AVX2)

# gridgpt_on_processor(KIND NAMES...): registered tests a second time, as NAME_KIND.
function(gridgpt_on_processor kind)
  string(TOUPPER ${kind} upper)
  foreach(name ${ARGN})
    get_test_property(${name} LABELS labels)
    add_test(NAME ${name}_${kind} COMMAND ${name})
    set_tests_properties(${name}_${kind} PROPERTIES TIMEOUT 60 SKIP_RETURN_CODE 77 LABELS "${labels}"
      ENVIRONMENT "${GG_TEST_ENVIRONMENT};${GG_${upper}_PROCESSOR}")
  endforeach()
endfunction()

# gridgpt_all_registered(): a test below this folder that is not registered fails the configure step.
function(gridgpt_all_registered)
  file(GLOB_RECURSE found RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS
    ${CMAKE_CURRENT_SOURCE_DIR}/test_*.c ${CMAKE_CURRENT_SOURCE_DIR}/test_*.sh)
  get_property(registered GLOBAL PROPERTY GG_REGISTERED_TESTS)
  foreach(file ${found})
    if(NOT file IN_LIST registered)
      message(FATAL_ERROR "tests/${file} is not registered in tests/CMakeLists.txt")
    endif()
  endforeach()
endfunction()
