/* Finds, among texts seen before, those that a text resembles: locality-sensitive hashing of MinHash signatures
 * (Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, section 3.4).
 *
 * A signature of bands x rows values is cut into bands of so many rows. Texts that agree in a whole band are
 * compared: of resemblance s that happens with the probability 1 - (1 - s^rows)^bands, half of the time near
 * s = (1 / bands)^(1 / rows). Then the share of all values that agree decides.
 * A band remembers the first GG_NEAR_MOST_ALIKE texts that share its values, so that the time does not grow with
 * the square of what has a page of boilerplate in common. Memory: 4 bands rows + 16 to 32 bands bytes for each
 * text. All local.
 */
#ifndef GG_CORE_TEXT_NEAR_INDEX_H
#define GG_CORE_TEXT_NEAR_INDEX_H

#include "core/base/status.h"

#include <stdint.h>

enum { GG_NEAR_MOST_ALIKE = 128 };

typedef struct gg_near_index gg_near_index;

/*   threshold [in] texts whose estimated resemblance is at least that are alike */
gg_near_index *gg_near_index_create(int bands, int rows, double threshold);
void gg_near_index_destroy(gg_near_index **index);

/* The text among those added that a signature resembles most (of equals the first), or -1.
 *   similarity [out] the estimate, if there is one */
int64_t gg_near_index_find(gg_near_index *index, const uint32_t *signature, double *similarity);

/* Adds a signature: texts are numbered from 0, up to 2^32 - 2. GG_RESOURCE: no memory. */
gg_status gg_near_index_add(gg_near_index *index, const uint32_t *signature) GG_MUST_USE;

#endif
