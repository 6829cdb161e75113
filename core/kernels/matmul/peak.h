/* The processor's rate of fused multiply-adds, measured: what a matrix multiply could reach at most. Local.
 */
#ifndef GG_CORE_KERNELS_MATMUL_PEAK_H
#define GG_CORE_KERNELS_MATMUL_PEAK_H

/* FLOP/s, in float32, of independent multiply-adds in registers, on all threads of this rank at once; the
 * best of several runs that take about a tenth of a second together. Vectors are as wide as the build's flags
 * allow. */
double gg_peak_measure(void);

#endif
