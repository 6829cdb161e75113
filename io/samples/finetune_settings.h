/* The settings finetune.*: what is learned from samples, and from which model on.
 */
#ifndef GG_IO_SAMPLES_FINETUNE_SETTINGS_H
#define GG_IO_SAMPLES_FINETUNE_SETTINGS_H

#include "core/base/options.h"
#include "io/samples/sample_form.h"

enum gg_too_long { GG_TOO_LONG_TRUNCATE, GG_TOO_LONG_REFUSE };

struct gg_finetune_settings {
    char *from;       /* NULL: the run is no fine-tuning */
    int form;         /* enum gg_sample_form; GG_SAMPLE_AUTO: seen from the first line */
    char *task;       /* NULL: none */
    int too_long;     /* enum gg_too_long */
    int64_t patience; /* eval.patience, where it is given */
};

extern const struct gg_option_table gg_finetune_setting_rows;

#endif
