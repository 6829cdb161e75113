/* Texts side by side in rows of a fixed length: which row each is in, and where. Local and pure: a function of the
 * lengths and the seed alone.
 *
 * Best fit, longest first (Johnson 1973, "Near-optimal bin packing algorithms", BFD): each text goes into the row with
 * the least room that it fits in. Texts of a length come in an order drawn from the seed. Texts of no row (longer than
 * a row) must not be given.
 */
#ifndef GG_CORE_DATA_PACKING_H
#define GG_CORE_DATA_PACKING_H

#include <stdint.h>

struct gg_packing {
    int64_t rows;
    int64_t *first; /* (rows + 1): where a row's texts begin in `texts` */
    int64_t *texts; /* in their order in the rows */
};

/*   lengths [in] (count), each from 1 to row_length
 *   packing [out] free with gg_packing_free */
void gg_packing_make(const int32_t *lengths, int64_t count, int32_t row_length, uint64_t seed,
                     struct gg_packing *packing);
void gg_packing_free(struct gg_packing *packing);

#endif
