#include "jobs/launch/launch_check.h"

#include "core/kernels/matmul/matmul.h"
#include "core/kernels/matmul/peak.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A matmul library that has kernels for the processor reaches 70-95% of the peak. */
static const double LEAST_OF_PEAK = 0.35;

static bool is_set(const char *name) {
    const char *text = getenv(name);
    return text != NULL && text[0] != '\0';
}

static int number(const char *name) {
    return is_set(name) ? atoi(getenv(name)) : 0;
}

/* Fails with a text on the launcher's first task only, for the ranks cannot talk to each other. */
static gg_status fail_first(const char *place, const char *text) {
    return gg_fail(GG_USAGE, "%s", number(place) == 0 ? text : "");
}

gg_status gg_launch_check_environment(void) {
    const int tasks = number("SLURM_STEP_NUM_TASKS");
    static const char *const meeting_points[] = {"PMIX_NAMESPACE", "PMI_FD", "PMI_PORT", "PMI_RANK",
                                                 "OMPI_COMM_WORLD_SIZE"};
    if (tasks < 2 || !is_set("SLURM_PROCID"))
        return GG_OK;
    for (size_t i = 0; i < sizeof meeting_points / sizeof *meeting_points; i++)
        if (is_set(meeting_points[i]))
            return GG_OK;
    char text[256];
    snprintf(
        text, sizeof text,
        "srun started %d tasks that cannot find each other; start it with srun --mpi=pmix ('srun --mpi=list' "
        "shows what the site has; without pmix use mpirun)",
        tasks);
    return fail_first("SLURM_PROCID", text);
}

gg_status gg_launch_check_world(const struct gg_world *world) {
    static const struct {
        const char *tasks, *place, *name, *advice;
    } launchers[] = {
        {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "Open MPI's mpirun",
         "it is not the mpirun of the MPI that gridgpt was built with"},
        {"PMI_SIZE", "PMI_RANK", "mpirun or srun",
         "it is not the launcher of the MPI that gridgpt was built with; use that one's mpirun, or srun "
         "--mpi=pmix"},
        {"SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "srun", "start it with srun --mpi=pmix"},
    };
    for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++) {
        const int tasks = number(launchers[i].tasks);
        if (tasks == 0)
            continue;
        if (tasks <= world->size)
            return GG_OK;
        char text[256];
        snprintf(text, sizeof text, "%s started %d tasks, but the MPI world has %d: each works alone; %s",
                 launchers[i].name, tasks, world->size, launchers[i].advice);
        return fail_first(launchers[i].place, text);
    }
    return GG_OK;
}

void gg_launch_check_gemm(const struct gg_world *world, const struct gg_gemm_rate *rate) {
    MPI_Barrier(world->comm);
    const double peak = gg_peak_measure();
    struct {
        double fraction;
        int rank;
    } mine = {rate->mine / peak, world->rank}, worst;
    MPI_Allreduce(&mine, &worst, 1, MPI_DOUBLE_INT, MPI_MINLOC, world->comm);
    if (worst.fraction >= LEAST_OF_PEAK || world->rank != worst.rank)
        return;
    char host[256] = "";
    if (gethostname(host, sizeof host - 1) != 0)
        strcpy(host, "an unnamed host");
    fprintf(
        stderr,
        "warning: %s multiplies matrices on rank %d (%s) at %.0f%% of the processor's rate (%.1f of %.1f "
        "GFLOP/s): it may take the processor for an older one. For OpenBLAS set OPENBLAS_CORETYPE (SkylakeX, "
        "Haswell, Zen ...), for oneDNN see that DNNL_MAX_CPU_ISA (ONEDNN_MAX_CPU_ISA) is not set, or build "
        "with another library\n",
        gg_matmul_maker(rate->precision), world->rank, host, 100 * worst.fraction, 1e-9 * rate->mine,
        1e-9 * peak);
}
