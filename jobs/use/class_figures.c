#include "jobs/use/class_figures.h"

#include "core/base/memory.h"

#include <math.h>
#include <stdlib.h>

void gg_class_figures_of(int64_t *confusion, int64_t classes, struct gg_class_figures *figures) {
    int64_t right = 0, samples = 0, present = 0;
    double sum = 0;
    *figures = (struct gg_class_figures){.classes = classes, .confusion = confusion};
    for (int64_t c = 0; c < classes; c++) {
        int64_t of_class = 0, as_class = 0;
        for (int64_t other = 0; other < classes; other++) {
            of_class += confusion[c * classes + other];
            as_class += confusion[other * classes + c];
        }
        const int64_t hits = confusion[c * classes + c];
        samples += of_class;
        right += hits;
        /* 2 tp + fp + fn is those of the class and those said to be of it together. */
        present += of_class + as_class > 0;
        if (of_class + as_class > 0)
            sum += 2 * (double)hits / (double)(of_class + as_class);
    }
    figures->accuracy = samples > 0 ? (double)right / (double)samples : NAN;
    figures->macro_f1 = present > 0 ? sum / (double)present : NAN;
}

void gg_class_figures_make(const int64_t *gold, const int64_t *said, int64_t samples, int64_t classes,
                           struct gg_class_figures *figures) {
    int64_t *confusion = gg_calloc((size_t)(classes * classes), sizeof *confusion);
    for (int64_t i = 0; i < samples; i++) {
        GG_ASSERT(gold[i] >= 0 && gold[i] < classes && said[i] >= 0 && said[i] < classes);
        confusion[gold[i] * classes + said[i]]++;
    }
    gg_class_figures_of(confusion, classes, figures);
}

void gg_class_figures_print(FILE *out, const struct gg_class_figures *figures,
                            const struct gg_text_list *names) {
    const int64_t classes = figures->classes;
    fprintf(out, "  of each class, samples that were said to be of\n  %16s", "");
    for (int64_t j = 0; j < classes; j++)
        fprintf(out, " %10.10s", names->items[j]);
    fputc('\n', out);
    for (int64_t i = 0; i < classes; i++) {
        fprintf(out, "  %16.16s", names->items[i]);
        for (int64_t j = 0; j < classes; j++)
            fprintf(out, " %10lld", (long long)figures->confusion[i * classes + j]);
        fputc('\n', out);
    }
}

void gg_class_figures_free(struct gg_class_figures *figures) {
    free(figures->confusion);
    *figures = (struct gg_class_figures){0};
}
