/* Whether a product takes a matrix as it stands.
 */
#ifndef GG_CORE_KERNELS_MATMUL_TRANSPOSE_H
#define GG_CORE_KERNELS_MATMUL_TRANSPOSE_H

enum gg_transpose { GG_PLAIN, GG_TRANSPOSED };

#endif
