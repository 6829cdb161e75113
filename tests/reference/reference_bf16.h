/* Rounding to bfloat16, plain: 8 bits of significand and float32's exponents, to the nearest, ties to even
 * (IEEE 754-2019, section 4.3.1, of a format of that precision and range).
 */
#ifndef GG_TESTS_REFERENCE_BF16_H
#define GG_TESTS_REFERENCE_BF16_H

/* The nearest number that bfloat16 has; infinite beyond the largest; NaN of NaN. */
double reference_bf16(double value);

/* Half the distance between bfloat16's numbers at `value`: what rounding can be off by. */
double reference_bf16_half_ulp(double value);

#endif
