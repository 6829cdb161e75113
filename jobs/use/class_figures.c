#include "jobs/use/class_figures.h"

#include "core/base/memory.h"

#include <math.h>
#include <stdlib.h>

void gg_class_figures_make(const int64_t *gold, const int64_t *said, int64_t samples, int64_t classes,
                           struct gg_class_figures *figures) {
    int64_t right = 0, present = 0;
    double sum = 0;
    *figures =
        (struct gg_class_figures){.classes = classes,
                                  .confusion = gg_calloc((size_t)(classes * classes), sizeof(int64_t))};
    for (int64_t i = 0; i < samples; i++) {
        GG_ASSERT(gold[i] >= 0 && gold[i] < classes && said[i] >= 0 && said[i] < classes);
        figures->confusion[gold[i] * classes + said[i]]++;
        right += gold[i] == said[i];
    }
    for (int64_t c = 0; c < classes; c++) {
        int64_t of_class = 0, as_class = 0;
        for (int64_t other = 0; other < classes; other++) {
            of_class += figures->confusion[c * classes + other];
            as_class += figures->confusion[other * classes + c];
        }
        /* 2 tp + fp + fn is those of the class and those said to be of it together. */
        present += of_class + as_class > 0;
        if (of_class + as_class > 0)
            sum += 2 * (double)figures->confusion[c * classes + c] / (double)(of_class + as_class);
    }
    figures->accuracy = samples > 0 ? (double)right / (double)samples : NAN;
    figures->macro_f1 = present > 0 ? sum / (double)present : NAN;
}

void gg_class_figures_free(struct gg_class_figures *figures) {
    free(figures->confusion);
    *figures = (struct gg_class_figures){0};
}
