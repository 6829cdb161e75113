# Compiler flags that every target of ours gets, through the interface library gridgpt::flags.
add_library(gridgpt_flags INTERFACE)
add_library(gridgpt::flags ALIAS gridgpt_flags)

target_compile_definitions(gridgpt_flags INTERFACE _GNU_SOURCE)
target_include_directories(gridgpt_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(gridgpt_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wwrite-strings
  -Wpointer-arith -Wformat=2 -Wundef $<$<C_COMPILER_ID:Clang>:-Wno-pass-failed>
  # Vectors of 64 bytes stay in inline functions: how they would be passed without AVX-512 is nobody's concern.
  -Wno-psabi
  # Kernels rely on vectorised loops; none reads errno or floating-point traps.
  -fno-math-errno -fno-trapping-math -ffp-contract=fast -fopenmp-simd -fno-strict-aliasing
  $<$<CONFIG:Release>:-O3> $<$<CONFIG:RelWithDebInfo>:-O3>)
# Assertions stay on in every build: no NDEBUG.
foreach(config RELEASE RELWITHDEBINFO)
  string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_${config} "${CMAKE_C_FLAGS_${config}}")
endforeach()

if(GG_NATIVE)
  include(CheckCCompilerFlag)
  check_c_compiler_flag(-march=native GG_HAVE_MARCH_NATIVE)
  if(GG_HAVE_MARCH_NATIVE)
    target_compile_options(gridgpt_flags INTERFACE -march=native)
    check_c_compiler_flag(-mprefer-vector-width=512 GG_HAVE_VECTOR_WIDTH)
    if(GG_HAVE_VECTOR_WIDTH)
      target_compile_options(gridgpt_flags INTERFACE -mprefer-vector-width=512)
    endif()
  else()
    check_c_compiler_flag(-mcpu=native GG_HAVE_MCPU_NATIVE)
    if(GG_HAVE_MCPU_NATIVE)
      target_compile_options(gridgpt_flags INTERFACE -mcpu=native)
    endif()
  endif()
endif()
if(GG_WERROR)
  target_compile_options(gridgpt_flags INTERFACE -Werror)
endif()
if(GG_SANITIZE)
  target_compile_options(gridgpt_flags INTERFACE -fsanitize=${GG_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(gridgpt_flags INTERFACE -fsanitize=${GG_SANITIZE})
endif()
if(GG_FUZZ)
  target_compile_options(gridgpt_flags INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(gridgpt_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# gridgpt_library(NAME SOURCES... [LINK TARGETS...]): one static library per folder.
function(gridgpt_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(gridgpt_${name} STATIC ${ARG_SOURCES})
  add_library(gridgpt::${name} ALIAS gridgpt_${name})
  target_link_libraries(gridgpt_${name} PUBLIC gridgpt::flags ${ARG_LINK})
endfunction()
