/* Median and spread of measurements. Local.
 */
#ifndef GG_JOBS_LAUNCH_STATISTICS_H
#define GG_JOBS_LAUNCH_STATISTICS_H

/* The median of count > 0 values; sorts them. */
double gg_median(double *values, int count);

/* (largest - smallest) / median of sorted values, as after gg_median. */
double gg_spread(const double *sorted, int count);

#endif
