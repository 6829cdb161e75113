/* Times of a step that need no simulation, and those of its sums from the time of one bucket. */
#include "tests/scale/simulation.h"

#include "core/plan/partition.h"

double seconds_per_flop(const struct simulation *simulation) {
    return (double)simulation->tokens / (1e9 * simulation->gigaflops);
}

/* Reads weight, gradient and both moments; writes weight and moments, and the weight once more in bf16. */
double optimizer_seconds(const struct simulation *simulation, const struct backward_trace *trace) {
    return (7 * 4 + 2) * (double)trace->elements / (1e9 * simulation->update_gigabytes);
}

double forward_and_backward_seconds(const struct simulation *simulation, const struct backward_trace *trace) {
    double flops = trace->forward_flops;
    for (int i = 0; i < trace->count; i++)
        flops += trace->steps[i].flops_per_token;
    return flops * seconds_per_flop(simulation);
}

double sums_seconds(const struct simulation *simulation, const struct backward_trace *trace,
                    double bucket_seconds, double tail_seconds) {
    const int64_t bucket = GG_BUCKET_BYTES / sizeof(float);
    double now = trace->forward_flops * seconds_per_flop(simulation), done = now;
    int64_t summed = 0;
    if (simulation->way == SIMULATED_LIBRARY)
        return forward_and_backward_seconds(simulation, trace) + tail_seconds +
               bucket_seconds * (double)trace->elements / (double)bucket;
    for (int i = 0; i < trace->count; i++) {
        now += trace->steps[i].flops_per_token * seconds_per_flop(simulation);
        const int64_t left = trace->steps[i].final_from;
        while (summed < trace->elements && (left == 0 || trace->elements - summed - bucket >= left)) {
            const int64_t rest = trace->elements - summed, count = rest < bucket ? rest : bucket;
            done = (done > now ? done : now) + bucket_seconds * (double)count / (double)bucket;
            summed += count;
        }
    }
    return (done > now ? done : now) + tail_seconds;
}
