/* How well classes were told apart. Local.
 */
#ifndef GG_JOBS_USE_CLASS_FIGURES_H
#define GG_JOBS_USE_CLASS_FIGURES_H

#include "core/base/options.h"

#include <stdint.h>
#include <stdio.h>

struct gg_class_figures {
    int64_t classes;
    int64_t *confusion; /* (classes, classes) samples by their class and the one that was said; owned */
    double accuracy;
    double
        macro_f1; /* mean over classes that a sample has or was said to have, as scikit-learn's f1_score(average=
                        "macro"); F1 = 2 tp / (2 tp + fp + fn) */
};

/*   gold, said [in]  (samples) from 0 to classes - 1
 *   figures    [out] free with gg_class_figures_free; NaN without samples */
void gg_class_figures_make(const int64_t *gold, const int64_t *said, int64_t samples, int64_t classes,
                           struct gg_class_figures *figures);
/* The same from counts that are there already; they are taken over. */
void gg_class_figures_of(int64_t *confusion, int64_t classes, struct gg_class_figures *figures);
/* Prints the confusion, a row for each class, under a line that explains it.
 *   names [in] of the classes */
void gg_class_figures_print(FILE *out, const struct gg_class_figures *figures,
                            const struct gg_text_list *names);
void gg_class_figures_free(struct gg_class_figures *figures);

#endif
